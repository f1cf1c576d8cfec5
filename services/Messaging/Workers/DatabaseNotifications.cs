using Npgsql;

namespace Shop.Messaging.Workers;

/// <summary>Hears what sessions of the service's database tell each other by <c>NOTIFY</c>.</summary>
public static class DatabaseNotifications
{
    /// <summary>A session that does not answer for so long is gone: its end may not be told.</summary>
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);

    /// <summary>Listens to a channel until the session ends, which is thrown.</summary>
    /// <param name="dataSource">The service's database.</param>
    /// <param name="channel">The channel: an SQL identifier.</param>
    /// <param name="listening">Called once, when nothing that is told from now on is missed; what was told before may have been.</param>
    /// <param name="notified">Called with what is told.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="NpgsqlException">The session has ended, or there is none.</exception>
    public static async Task ListenAsync(NpgsqlDataSource dataSource, string channel, Action listening, Action<string> notified, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, notification) => notified(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);
        listening();
        while (true)
        {
            if (await connection.WaitAsync(PingInterval, cancellationToken))
                continue;
            await using var ping = new NpgsqlCommand("SELECT", connection) { CommandTimeout = (int)PingInterval.TotalSeconds };
            await ping.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
