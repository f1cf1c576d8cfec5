using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Shop.Messaging.Workers;

namespace Shop.Payments.CallingProvider;

/// <summary>Signals when a transaction has committed that left payments to call the provider for: before, the worker could not see them.</summary>
internal sealed class WakeOnCommit(WorkSignal signal, TimeProvider time) : DbTransactionInterceptor
{
    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        if (eventData.Context is PaymentsDb db && db.ChangeTracker.Entries<Payment>().Any(payment => payment.Entity.DueAt <= now))
            signal.Set();
        return Task.CompletedTask;
    }
}
