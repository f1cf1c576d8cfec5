using System.Threading.Channels;
using Shop.Orders.RecordingHistory;

namespace Shop.Orders.StreamingOrders;

/// <summary>
/// What one open stream waits for. It holds one delivery at most: while its reader has not taken that, nothing more is read for it, so a
/// slow reader costs no memory and misses nothing.
/// </summary>
internal sealed class OrderSubscription(OrderWatcher watcher, string shopperId, Guid orderId, int after) : IDisposable
{
    private readonly Channel<IReadOnlyList<OrderEvent>> _delivery = Channel.CreateBounded<IReadOnlyList<OrderEvent>>(
        new BoundedChannelOptions(1) { SingleReader = true, AllowSynchronousContinuations = false });

    public string ShopperId { get; } = shopperId;

    public Guid OrderId { get; } = orderId;

    /// <summary>The sequence of the last event that was delivered; only the watcher's loop looks at it.</summary>
    public int After { get; private set; } = after;

    /// <summary>Whether the last delivery has been taken.</summary>
    public bool IsWaiting => _delivery.Reader.Count == 0;

    /// <summary>Delivers the next events of the order, in their sequence; none is a sign of life. What finds no room is delivered again.</summary>
    public void Deliver(IReadOnlyList<OrderEvent> events)
    {
        if (_delivery.Writer.TryWrite(events) && events.Count > 0)
            After = events[^1].Sequence;
    }

    /// <summary>There will be no more deliveries: the instance stops.</summary>
    public void End() => _delivery.Writer.TryComplete();

    /// <summary>The next delivery; null when there are no more, or the reader has gone.</summary>
    public async ValueTask<IReadOnlyList<OrderEvent>?> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _delivery.Reader.WaitToReadAsync(cancellationToken) && _delivery.Reader.TryRead(out var events) ? events : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => watcher.Unsubscribe(this);
}
