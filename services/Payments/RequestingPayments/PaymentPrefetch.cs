using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.RequestingPayments;

/// <summary>
/// Loads and locks the payments of a batch's orders in one query, and the histories of those that are to be screened in another, in the order in
/// which everybody locks: payments first, each kind by its key.
/// </summary>
internal sealed class PaymentPrefetch(PaymentsDb db, PaymentScreening screening) : IBatchPrefetch
{
    public async Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken)
    {
        var orders = messages.Select(message => message switch
        {
            PaymentRequested requested => requested.OrderId,
            OrderConfirmed confirmed => confirmed.OrderId,
            OrderCancelled cancelled => cancelled.OrderId,
            _ => throw new ArgumentException($"{message.GetType().Name} is handled without its payment being loaded", nameof(messages)),
        }).Distinct().ToArray();
        await db.Payments.FromSql($"SELECT * FROM payments WHERE order_id = ANY({orders}) ORDER BY payment_id FOR UPDATE").LoadAsync(cancellationToken);
        var known = db.Payments.Local.Select(payment => payment.OrderId).ToHashSet();
        await screening.LoadAsync(messages.OfType<PaymentRequested>().Where(request => !known.Contains(request.OrderId)), cancellationToken);
    }
}
