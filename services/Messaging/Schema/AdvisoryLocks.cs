using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Advisory locks that a session holds: what of several instances only one is to do. Whatever ends the process ends the session, and gives them up.</summary>
public static class AdvisoryLocks
{
    /// <summary>A holder whose session asks nothing for so long is stopped or starved, and would hold up everybody.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    private const int TimeoutSeconds = 5;

    /// <summary>How often a session on which nothing else is done asks something, by which others see that its process lives, and that the lock is still held.</summary>
    private static readonly TimeSpan SignInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes a lock; false where another session has it, which is ended where it has been silent for longer than <see cref="LongestSilence"/>, so that the lock is
    /// free at the next attempt. Whoever holds one does its work on this session; for any other there is <see cref="TryRunAsync"/>. <see cref="ReleaseAsync"/> gives it up.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="name">Tells the lock from the database's others.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public static Task<bool> TryTakeAsync(NpgsqlConnection session, string name, CancellationToken cancellationToken) => TryTakeAsync(session, name, LongestSilence, cancellationToken);

    internal static async Task<bool> TryTakeAsync(NpgsqlConnection session, string name, TimeSpan longestSilence, CancellationToken cancellationToken)
    {
        // a COPY that its client does not go on with counts as active, and waits for the client; a lock of 64 bits is kept in two halves (PostgreSQL's manual, pg_locks)
        await using var take = new NpgsqlCommand("""
            WITH lock AS (SELECT hashtextextended($1, 0) AS key),
            ended AS MATERIALIZED (
              SELECT pg_terminate_backend(pid) FROM lock, pg_locks JOIN pg_stat_activity USING (pid)
              WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND objsubid = 1 AND classid::bigint = (key >> 32) & 4294967295 AND objid::bigint = key & 4294967295
                AND pid <> pg_backend_pid() AND state_change < clock_timestamp() - $2 AND (state <> 'active' OR wait_event = 'ClientRead'))
            SELECT (SELECT count(*) FROM ended) = 0 AND pg_try_advisory_lock(key) FROM lock
            """, session)
        {
            Parameters = { SqlParameter.Of(name), new NpgsqlParameter<TimeSpan> { TypedValue = longestSilence } },
        };
        return await take.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Does something under a lock; false where another session has it.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="name">Tells the lock from the database's others.</param>
    /// <param name="work">What is done, on whatever sessions; cancelled when the lock is lost, since another one may have begun.</param>
    /// <param name="time">The time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The lock was lost.</exception>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public static async Task<bool> TryRunAsync(NpgsqlDataSource dataSource, string name, Func<CancellationToken, Task> work, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var session = await dataSource.OpenConnectionAsync(cancellationToken);
        if (!await TryTakeAsync(session, name, cancellationToken))
            return false;
        using var held = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var ended = new CancellationTokenSource();
        var keeping = KeepAsync(session, held, time, ended.Token);
        try
        {
            await work(held.Token);
        }
        catch (OperationCanceledException e) when (keeping.IsFaulted)
        {
            throw new InvalidOperationException($"The lock '{name}' is lost, and another instance may have it", e);
        }
        finally
        {
            await ended.CancelAsync();
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ReleaseAsync(session);
        }
        return true;
    }

    /// <summary>
    /// Gives up all of a session's locks. Its connection goes back to a pool, where the session, and the locks with it, would live on until
    /// somebody uses it again.
    /// </summary>
    public static async Task ReleaseAsync(NpgsqlConnection session)
    {
        try
        {
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", session) { CommandTimeout = TimeoutSeconds };
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // the connection is broken, so its session ends, and its locks with it
        }
    }

    private static async Task KeepAsync(NpgsqlConnection session, CancellationTokenSource held, TimeProvider time, CancellationToken ended)
    {
        try
        {
            await using var sign = new NpgsqlCommand("SELECT", session) { CommandTimeout = TimeoutSeconds };
            while (true)
            {
                await Task.Delay(SignInterval, time, ended);
                await sign.ExecuteNonQueryAsync(ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // the work is done
        }
        catch
        {
            await held.CancelAsync();
            throw;
        }
    }
}
