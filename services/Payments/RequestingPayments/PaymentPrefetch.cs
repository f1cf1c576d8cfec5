using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Payments.RequestingPayments;

/// <summary>Loads and locks the payments of a batch's orders in one query, in the order in which everybody locks payments.</summary>
internal sealed class PaymentPrefetch(PaymentsDb db) : IBatchPrefetch
{
    public Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken)
    {
        var orders = messages.Select(message => message switch
        {
            PaymentRequested requested => requested.OrderId,
            OrderConfirmed confirmed => confirmed.OrderId,
            OrderCancelled cancelled => cancelled.OrderId,
            _ => throw new ArgumentException($"{message.GetType().Name} is handled without its payment being loaded", nameof(messages)),
        }).Distinct().ToArray();
        return db.Payments.FromSql($"SELECT * FROM payments WHERE order_id = ANY({orders}) ORDER BY payment_id FOR UPDATE").LoadAsync(cancellationToken);
    }
}
