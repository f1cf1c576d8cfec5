using MassTransit;
using Shop.Contracts;
using Shop.Inventory.Stock;

namespace Shop.Inventory.ReservingStock;

/// <summary>
/// Carries out what <see cref="ReservationDecider"/> decides. The rows were loaded and locked by <see cref="StockPrefetch"/>; stock
/// and reservations are saved, and changed levels published, once for the whole batch.
/// </summary>
internal sealed class OrderConsumer(InventoryDb db, TimeProvider time, ILogger<OrderConsumer> logger) : IConsumer<OrderSubmitted>, IConsumer<OrderCancelled>, IConsumer<OrderConfirmed>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<OrderSubmitted> context)
    {
        var order = context.Message;
        return CarryOutAsync(context, order.OrderId, ReservationDecider.OnSubmitted(Find(order.OrderId), order.Lines, sku => FindStock(sku)?.Available ?? 0));
    }

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<OrderCancelled> context) =>
        CarryOutAsync(context, context.Message.OrderId, ReservationDecider.OnCancelled(Find(context.Message.OrderId)));

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<OrderConfirmed> context) =>
        CarryOutAsync(context, context.Message.OrderId, ReservationDecider.OnConfirmed(Find(context.Message.OrderId)));

    private Task CarryOutAsync(ConsumeContext context, Guid orderId, ReservationDecision decision)
    {
        switch (decision)
        {
            case ReservationDecision.Reserve(var lines):
                foreach (var line in lines)
                    Record(orderId, StockOf(line).Reserve(line.Quantity));
                db.Reservations.Add(new(orderId, ReservationStatus.Reserved, lines, [], time.GetUtcNow()));
                return context.Publish(new StockReserved(orderId, lines), context.CancellationToken);
            case ReservationDecision.Reject(var lines, var shortages):
                db.Reservations.Add(new(orderId, ReservationStatus.Rejected, lines, shortages, time.GetUtcNow()));
                return context.Publish(new StockRejected(orderId, shortages), context.CancellationToken);
            case ReservationDecision.Release(var lines):
                db.Release(Find(orderId)!, line => FindStock(line.Sku), MovementCause.Order, time.GetUtcNow(), logger);
                return context.Publish(new StockReleased(orderId, lines), context.CancellationToken);
            case ReservationDecision.Dispatch(var lines):
                foreach (var line in lines)
                    Record(orderId, StockOf(line).Dispatch(line.Quantity));
                Find(orderId)!.End(ReservationStatus.Dispatched, time.GetUtcNow());
                return context.Publish(new StockDispatched(orderId, lines), context.CancellationToken);
            case ReservationDecision.Repeat(var told):
                return context.Publish(told, context.CancellationToken);
            default:
                return Task.CompletedTask;
        }
    }

    private void Record(Guid orderId, StockChange change) => db.Record(new(change, MovementCause.Order, orderId.ToString(), null, time.GetUtcNow()));

    private Reservation? Find(Guid orderId) => db.Reservations.Local.FindEntry(orderId)?.Entity;

    private StockItem? FindStock(string sku) => db.Stock.Local.FindEntry(sku)?.Entity;

    private StockItem StockOf(ReservedLine line) => FindStock(line.Sku)
        ?? throw new InvalidOperationException($"The stock of {line.Sku} was not loaded with the batch");
}
