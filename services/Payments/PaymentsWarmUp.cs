using Shop.Contracts;
using Shop.Messaging.WarmUp;
using Shop.Payments.CallingProvider;

namespace Shop.Payments;

/// <summary>A payment that is requested, authorised and captured, without the provider hearing of it.</summary>
internal sealed class PaymentsWarmUp(PaymentsDb db, ProviderCalls calls) : IWarmUp
{
    public async Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken)
    {
        var (order, id) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await rehearsal.HandleAsync("payments", [new PaymentRequested(order, id, "warm-up", new(1, "EUR"), "warm-up")], cancellationToken);
        await AnswerAsync(id, ProviderStatus.Authorized, cancellationToken);
        await rehearsal.HandleAsync("payments", [new OrderConfirmed(order)], cancellationToken);
        await AnswerAsync(id, ProviderStatus.Captured, cancellationToken);
    }

    private async Task AnswerAsync(Guid payment, ProviderStatus status, CancellationToken cancellationToken)
    {
        var asked = (await db.Payments.FindAsync([payment], cancellationToken))!;
        await calls.WriteAsync(db, [new CallResult(asked, new(status))], cancellationToken);
    }
}
