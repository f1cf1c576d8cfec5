using Npgsql;
using Shop.Messaging.Workers;

namespace Shop.Messaging.DeadLetters;

/// <summary>
/// Plays the dead letters of redrives, one at a time. While it does, the redrive's row is locked: another instance leaves it alone, and
/// finds it at the same dead letter when this one has gone.
/// </summary>
internal sealed class RedriveWorker(NpgsqlDataSource dataSource, Redriving redriving, TimeProvider time) : IPeriodicWorker
{
    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        while (await StepAsync(stoppingToken))
        {
        }
    }

    /// <summary>Plays one dead letter. False where no redrive is to be gone on with.</summary>
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await Redrives.ClaimAsync(connection, transaction, cancellationToken) is not { } redrive)
            return false;
        // played before it is counted: after a crash between the two it is found ended, and counted then
        var outcome = await redriving.RedriveAsync(redrive.Letter, discard: false, cancellationToken);
        await Redrives.AdvanceAsync(connection, transaction, redrive.Id, outcome is RedriveOutcome.FailedAgain or RedriveOutcome.Unreadable, time.GetUtcNow(), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }
}
