using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Advisory locks that a session holds: what of several instances only one is to do. Whatever ends the process ends the session, and gives them up.</summary>
public static class AdvisoryLocks
{
    private const int TimeoutSeconds = 5;

    /// <summary>Takes a lock; false where another session has it. <see cref="ReleaseAsync"/> gives it up.</summary>
    /// <param name="session">The session.</param>
    /// <param name="name">Tells the lock from the database's others.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public static async Task<bool> TryTakeAsync(NpgsqlConnection session, string name, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", session) { Parameters = { SqlParameter.Of(name) } };
        return await take.ExecuteScalarAsync(cancellationToken) is true;
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
}
