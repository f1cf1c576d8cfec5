using Npgsql;

namespace Shop.Orders.RecordingHistory;

/// <summary>
/// Gives events their place that have waited in vain: what should come before them was never published to the order's topics.
/// The shop's own services publish no such events, others might.
/// </summary>
public sealed partial class WaitingEvents(NpgsqlDataSource dataSource, TimeProvider time, ILogger<WaitingEvents> logger) : BackgroundService
{
    /// <summary>Longer than a consumer that is behind needs from one topic to the next; nobody but a foreign event waits that long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const int OrdersPerRound = 100;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await PlaceOverdueAsync(dataSource, time.GetUtcNow() - Patience, stoppingToken);
            }
            catch (NpgsqlException e)
            {
                PlacingFailed(logger, e.Message);
            }
        }
    }

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

    [LoggerMessage(EventName = "PlacingWaitingEventsFailed", Level = LogLevel.Warning, Message = "Events that wait for their place in a history could not be placed; tried again soon: {Reason}")]
    private static partial void PlacingFailed(ILogger logger, string reason);
}
