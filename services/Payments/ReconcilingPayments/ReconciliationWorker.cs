using Shop.Messaging.Workers;

namespace Shop.Payments.ReconcilingPayments;

/// <summary>
/// Compares payments with the provider's ledger, again and again: what differs of yesterday's and today's is known within the hour, and of older ones, which are
/// all compared once a day, within the day.
/// </summary>
internal sealed class ReconciliationWorker(Reconciliation reconciliation, TimeProvider time) : IPeriodicWorker
{
    private DateTime? _allComparedOn;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        var now = time.GetUtcNow();
        var today = now.UtcDateTime.Date;
        // first and by itself, so that it does not depend on how long all of them take
        await reconciliation.RunAsync(new(today.AddDays(-1), TimeSpan.Zero), now, stoppingToken);
        if (_allComparedOn == today)
            return;
        await reconciliation.RunAsync(DateTimeOffset.UnixEpoch, now, stoppingToken);
        _allComparedOn = today;
    }
}
