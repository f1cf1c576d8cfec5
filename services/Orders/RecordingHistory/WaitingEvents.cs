using Npgsql;
using Shop.Messaging.Workers;

namespace Shop.Orders.RecordingHistory;

/// <summary>
/// Gives events their place that have waited in vain: what should come before them was never published to the order's topics.
/// The shop's own services publish no such events, others might.
/// </summary>
public sealed class WaitingEvents(NpgsqlDataSource dataSource, TimeProvider time) : IPeriodicWorker
{
    /// <summary>Longer than a consumer that is behind needs from one topic to the next; nobody but a foreign event waits that long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int OrdersPerRound = 100;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public Task RunOnceAsync(CancellationToken stoppingToken) => PlaceOverdueAsync(dataSource, time.GetUtcNow() - Patience, stoppingToken);

    /// <summary>Places the events that wait since before <paramref name="before"/>, and what waited only for them.</summary>
    public static async Task PlaceOverdueAsync(NpgsqlDataSource dataSource, DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        foreach (var (partition, orderId) in await new HistoryTables(connection, null).OverdueAsync(before, OrdersPerRound, cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var tables = new HistoryTables(connection, transaction);
            var known = await tables.LockAndReadAsync(partition, [orderId], cancellationToken);
            var overdue = known.Waiting.Where(waiting => waiting.Since < before).Select(waiting => waiting.Event.EventId).ToHashSet();
            var placed = EventOrder.Place(known.Placed[orderId], known.Waiting.Select(waiting => waiting.Event), e => overdue.Contains(e.EventId));
            await tables.WriteAsync([.. placed.Numbered(known.Placed[orderId].Count())], [], before, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }
}
