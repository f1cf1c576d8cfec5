using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;
using Shop.Orders.RecordingHistory;
using Shop.ServiceDefaults;

namespace Shop.Orders.StreamingOrders;

/// <summary>Why a stream was not opened.</summary>
internal enum StreamRefusal
{
    /// <summary>The shopper has as many as one may have.</summary>
    TooManyOfShopper,

    /// <summary>The instance has as many as it takes, or is stopping.</summary>
    NoRoom,
}

/// <summary>
/// Watches the histories of the orders whose streams are open on this instance: one query for all of them, many times a second, and none
/// while there are no streams. It sees what any instance recorded, and the database pays nothing for an order that nobody watches.
/// </summary>
internal sealed class OrderWatcher(NpgsqlDataSource dataSource, IOptions<StreamOptions> options, TimeProvider time, Draining draining) : IWorker
{
    /// <summary>Events of one order that a delivery holds at most; an order has about ten in its life.</summary>
    private const int MaxDelivery = 50;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>The watcher rests this many times as long as it worked: with any number of streams it takes a fifth of a connection, as long as it can keep its longest pause.</summary>
    private const int RestPerWork = 4;

    private readonly Lock _lock = new();
    private readonly HashSet<OrderSubscription> _subscriptions = [];
    private readonly Dictionary<string, int> _streamsOf = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _someone = new(0);
    private bool _stopping;

    /// <summary>Opens a subscription to the events of an order after a place in its history.</summary>
    /// <returns>The subscription, to be disposed of; null with a reason where there are too many.</returns>
    public OrderSubscription? Subscribe(string shopperId, Guid orderId, int after, out StreamRefusal refusal)
    {
        lock (_lock)
        {
            var mine = _streamsOf.GetValueOrDefault(shopperId);
            refusal = mine >= options.Value.PerShopper ? StreamRefusal.TooManyOfShopper : StreamRefusal.NoRoom;
            if (mine >= options.Value.PerShopper || _subscriptions.Count >= options.Value.PerInstance || _stopping)
                return null;
            var subscription = new OrderSubscription(this, shopperId, orderId, after);
            _subscriptions.Add(subscription);
            _streamsOf[shopperId] = mine + 1;
            OrderMetrics.Streams.Add(1);
            if (_subscriptions.Count == 1)
                _someone.Release();
            return subscription;
        }
    }

    /// <summary>Ends a subscription; without an effect where it has ended.</summary>
    public void Unsubscribe(OrderSubscription subscription)
    {
        lock (_lock)
        {
            if (!_subscriptions.Remove(subscription))
                return;
            OrderMetrics.Streams.Add(-1);
            if (--_streamsOf[subscription.ShopperId] == 0)
                _streamsOf.Remove(subscription.ShopperId);
        }
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        // before the server waits for its requests to end, which an open stream would not
        await using var ending = draining.Over.Register(EndAll);
        // apart from each other: a database that is slow must not make the gateway think that the streams are dead
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var watching = WatchAsync(ended.Token);
        var living = ShowLifeAsync(ended.Token);
        // where one fails the other ends, and both begin anew: the streams stay open and go on where they were
        await Task.WhenAny(watching, living);
        await ended.CancelAsync();
        await Task.WhenAll(watching, living);
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (Waiting() is not { } waiting)
            {
                await _someone.WaitAsync(stoppingToken);
                continue;
            }
            var begin = time.GetTimestamp();
            await DeliverAsync(waiting, stoppingToken);
            var rest = TimeSpan.FromTicks(Math.Clamp((time.GetElapsedTime(begin) * RestPerWork).Ticks, ShortestPause.Ticks, LongestPause.Ticks));
            await Task.Delay(rest, time, stoppingToken);
        }
    }

    private async Task ShowLifeAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Heartbeat, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Waiting()?.ForEach(subscription => subscription.Deliver([]));
    }

    /// <summary>The subscriptions that can take a delivery; null where nobody watches.</summary>
    private List<OrderSubscription>? Waiting()
    {
        lock (_lock)
            return _subscriptions.Count == 0 ? null : [.. _subscriptions.Where(subscription => subscription.IsWaiting)];
    }

    private async Task DeliverAsync(List<OrderSubscription> waiting, CancellationToken cancellationToken)
    {
        // lateral: one short walk down the primary key for each stream, whatever the planner thinks of the table
        await using var command = dataSource.CreateCommand("""
            SELECT e.order_id, e.event_id, e.type, e.topic, e.partition, e.record_offset, e.at, e.causation_id, e.data, e.sequence, stream.n
            FROM unnest($1, $2) WITH ORDINALITY AS stream(order_id, after, n) CROSS JOIN LATERAL (
              SELECT * FROM order_events WHERE order_id = stream.order_id AND sequence > stream.after ORDER BY sequence LIMIT $3) e
            ORDER BY stream.n, e.sequence
            """);
        command.Parameters.Add(SqlParameter.Of<Guid[]>([.. waiting.Select(subscription => subscription.OrderId)]));
        command.Parameters.Add(SqlParameter.Of<int[]>([.. waiting.Select(subscription => subscription.After)]));
        command.Parameters.Add(SqlParameter.Of(MaxDelivery));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (current, events) = ((OrderSubscription?)null, new List<OrderEvent>());
        while (await reader.ReadAsync(cancellationToken))
        {
            var subscription = waiting[(int)reader.GetInt64(10) - 1];
            if (current is not null && current != subscription)
            {
                current.Deliver(events);
                events = [];
            }
            current = subscription;
            events.Add(HistoryTables.Read(reader) with { Sequence = reader.GetInt32(9) });
        }
        current?.Deliver(events);
    }

    private void EndAll()
    {
        lock (_lock)
        {
            _stopping = true;
            foreach (var subscription in _subscriptions)
                subscription.End();
        }
    }
}
