using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Shop.Payments.CallingProvider;

/// <summary>Wakes the worker of this process; signals between two wake-ups count as one.</summary>
internal sealed class WorkSignal : IDisposable
{
    private readonly SemaphoreSlim _work = new(0, 1);

    /// <summary>There is work.</summary>
    public void Set()
    {
        try
        {
            if (_work.CurrentCount == 0)
                _work.Release();
        }
        catch (SemaphoreFullException)
        {
            // another thread signalled at the same moment: the worker is woken all the same
        }
    }

    /// <summary>Waits for work, or until <paramref name="timeout"/> has passed: then false.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _work.WaitAsync(timeout, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();
}

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
