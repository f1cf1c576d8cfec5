using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Advisory locks that a session holds: what of several instances only one is to do. Whatever ends the process ends the session, and gives them up.</summary>
public static class AdvisoryLocks
{
    /// <summary>A holder whose session asks nothing for so long is stopped or starved, and would hold up everybody.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    /// <summary>Of a row of <c>pg_locks</c>: whether it is an advisory lock of this database that somebody has.</summary>
    internal const string IsHeld = "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private const int ReleaseTimeoutSeconds = 5;

    /// <summary>A database that stands still for a moment takes the lock from nobody: until <see cref="LongestSilence"/> is over.</summary>
    private const int SignTimeoutSeconds = 30;

    /// <summary>How often a session on which nothing else is done asks something, by which others see that its process lives, and that the lock is still held.</summary>
    private static readonly TimeSpan SignInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes a lock; false where another session has it, which is ended where it has been silent for longer than a minute, so that the lock is
    /// free at the next attempt. Whoever holds one does its work on this session, in statements of less than that; for any other there is <see cref="TryRunAsync"/>. <see cref="ReleaseAsync"/> gives it up.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="name">Tells the lock from the database's others.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public static Task<bool> TryTakeAsync(NpgsqlConnection session, string name, CancellationToken cancellationToken) => TryTakeAsync(session, name, LongestSilence, cancellationToken);

    internal static async Task<bool> TryTakeAsync(NpgsqlConnection session, string name, TimeSpan longestSilence, CancellationToken cancellationToken)
    {
        // a lock of 64 bits is kept in two halves (PostgreSQL's manual, pg_locks)
        await using var take = new NpgsqlCommand($"""
            WITH lock AS (SELECT hashtextextended($1, 0) AS key),
            ended AS MATERIALIZED (
              SELECT pg_terminate_backend(pid) FROM lock, pg_locks JOIN pg_stat_activity USING (pid)
              WHERE {IsHeld} AND objsubid = 1 AND classid::bigint = (key >> 32) & 4294967295 AND objid::bigint = key & 4294967295 AND {IsSilentFor("$2")})
            SELECT CASE WHEN EXISTS (SELECT FROM ended) THEN false ELSE pg_try_advisory_lock(key) END FROM lock
            """, session)
        {
            Parameters = { SqlParameter.Of(name), SqlParameter.Of(longestSilence) },
        };
        return await take.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Does something under a lock; false where another session has it.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="name">Tells the lock from the database's others.</param>
    /// <param name="work">What is done, on whatever sessions; cancelled when the lock is lost, since another one may have begun.</param>
    /// <param name="time">The time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The lock was lost, and the work ended for that.</exception>
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
        catch (OperationCanceledException) when (held.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"The lock '{name}' is lost, and another instance may have it");
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
    /// Of a row of <c>pg_stat_activity</c>: whether another session has asked nothing for as long as the parameter says, so that its process is stopped or
    /// starved. A COPY or a result with which its client does not go on counts as active, and waits for the client.
    /// </summary>
    internal static string IsSilentFor(string parameter) =>
        $"pid <> pg_backend_pid() AND state_change < clock_timestamp() - {parameter} AND (state <> 'active' OR wait_event IN ('ClientRead', 'ClientWrite'))";

    /// <summary>
    /// Gives up all of a session's locks. Its connection goes back to a pool, where the session, and the locks with it, would live on until
    /// somebody uses it again.
    /// </summary>
    public static async Task ReleaseAsync(NpgsqlConnection session)
    {
        try
        {
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", session) { CommandTimeout = ReleaseTimeoutSeconds };
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
            await using var sign = new NpgsqlCommand("SELECT", session) { CommandTimeout = SignTimeoutSeconds };
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
