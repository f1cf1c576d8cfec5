using Npgsql;
using Shop.Messaging.Outbox;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Relay;

/// <summary>
/// Lets instances wake each other: a commit here may belong to a shard that another one relays. Only where there are several
/// instances, and never in a change's own transaction: NOTIFY takes a lock that all committing sessions of the server share.
/// </summary>
internal sealed class RelayNotifications(NpgsqlDataSource dataSource, OutboxSignal signal)
{
    private const string Channel = "shop_outbox";

    /// <summary>Tells the other instances that there is work for them.</summary>
    public async Task NotifyAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand($"NOTIFY {Channel}");
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Wakes this instance's relay whenever another one notifies; ends by cancellation, or when the connection does.</summary>
    public Task ListenAsync(CancellationToken cancellationToken) =>
        DatabaseNotifications.ListenAsync(dataSource, Channel, () => signal.Set(), _ => signal.Set(), cancellationToken);
}
