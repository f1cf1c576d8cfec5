using Shop.Messaging.Workers;

namespace Shop.Payments.ReconcilingPayments;

/// <summary>Compares the payments of yesterday and today with the provider's ledger, again and again: what differs is known within the hour.</summary>
internal sealed class ReconciliationWorker(Reconciliation reconciliation, TimeProvider time) : IPeriodicWorker
{
    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var now = time.GetUtcNow();
        return reconciliation.RunAsync(new(now.UtcDateTime.Date.AddDays(-1), TimeSpan.Zero), now, stoppingToken);
    }
}
