using Npgsql;

namespace Shop.Messaging.Schema;

/// <summary>Advisory locks that a session holds.</summary>
internal static class AdvisoryLocks
{
    private const int TimeoutSeconds = 5;

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
