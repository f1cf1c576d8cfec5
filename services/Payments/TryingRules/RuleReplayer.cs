using System.Diagnostics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Schema;
using Shop.Messaging.Workers;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.TryingRules;

/// <summary>Carries out replays, one instance at a time; one whose instance has ended begins again in another.</summary>
internal sealed partial class RuleReplayer(
    IServiceScopeFactory scopes, NpgsqlDataSource dataSource, StoredPayments stored, LiveRules rules, PaymentTokenOpener tokens, TimeProvider time, ILogger<RuleReplayer> logger) : IWorker
{
    /// <summary>The advisory lock that an instance holds while it carries one out.</summary>
    internal const string Lock = "rule replay";

    /// <summary>Begun so often without an end, it ends as failed: what it meets is not going to pass, and may be what ends the process.</summary>
    internal const int MostAttempts = 5;

    /// <summary>Keys whose histories are remembered, of at most 1.3 kB each and mostly a fifth of it: see <see cref="HistoryBook"/>.</summary>
    private const int MostKeys = 250_000;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1), ReportInterval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            if (await FindAsync(stoppingToken) is not null)
                await TryCarryOutAsync(stoppingToken);
            await Task.Delay(PollInterval, time, stoppingToken);
        }
    }

    private Task<RuleReplay?> FindAsync(CancellationToken cancellationToken) =>
        InScopeAsync(db => db.RuleReplays.AsNoTracking().SingleOrDefaultAsync(replay => replay.EndedAt == null, cancellationToken));

    private Task TryCarryOutAsync(CancellationToken cancellationToken) => AdvisoryLocks.TryRunAsync(dataSource, Lock, async held =>
    {
        // who had the lock may have ended it since
        if (await FindAsync(held) is { } replay)
            await CarryOutAsync(replay, held);
    }, time, cancellationToken);

    private async Task CarryOutAsync(RuleReplay replay, CancellationToken cancellationToken)
    {
        _ = ReplayStart.TryParse(replay.From, out var start);
        if (await EndIfCancelledAsync(replay.Id, cancellationToken))
            return;
        // a broker that is away is waited for
        var (count, records) = await stored.OpenAsync(start, cancellationToken);
        if (!await BeginAsync(replay.Id, cancellationToken))
            return;
        var live = await InScopeAsync(db => rules.CurrentAsync(db, cancellationToken));
        var tried = new Screener(StoredRuleSet.Read(replay.Rules));
        var payments = new ReplayedPayments(live.Live.Screener, tried, tokens, MostKeys);
        var (read, reported) = (0L, Stopwatch.StartNew());
        if (!await ReportAsync(replay.Id, read, count, cancellationToken))
            return;
        await foreach (var record in records.WithCancellation(cancellationToken))
        {
            payments.Add(record);
            read++;
            if (reported.Elapsed < ReportInterval)
                continue;
            if (!await ReportAsync(replay.Id, read, count, cancellationToken))
                return;
            reported.Restart();
        }
        var report = JsonSerializer.Serialize(payments.Comparison.ToReport(), PaymentsJson.Default.ComparisonReport);
        var now = time.GetUtcNow();
        await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay.Id && one.EndedAt == null).ExecuteUpdateAsync(
            one => one.SetProperty(r => r.State, ReplayStates.Done).SetProperty(r => r.Records, read).SetProperty(r => r.Report, report)
                .SetProperty(r => r.Forgotten, payments.Forgotten).SetProperty(r => r.EndedAt, now), cancellationToken));
        ReplayEnded(logger, replay.Id, read);
    }

    /// <summary>Counts an attempt; false where there were too many.</summary>
    private async Task<bool> BeginAsync(Guid replay, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null && one.Attempts >= MostAttempts).ExecuteUpdateAsync(one => one
            .SetProperty(r => r.State, ReplayStates.Failed).SetProperty(r => r.EndedAt, now).SetProperty(r => r.Error, $"It was begun {MostAttempts} times and came to no end; the log says why."), cancellationToken)) == 0)
        {
            return await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null)
                .ExecuteUpdateAsync(one => one.SetProperty(r => r.Attempts, r => r.Attempts + 1), cancellationToken)) > 0;
        }
        ReplayFailed(logger, replay, MostAttempts);
        return false;
    }

    /// <summary>Tells how far it is; false where it is to end.</summary>
    private async Task<bool> ReportAsync(Guid replay, long read, long count, CancellationToken cancellationToken)
    {
        await EndIfCancelledAsync(replay, cancellationToken);
        return await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null).ExecuteUpdateAsync(
            one => one.SetProperty(r => r.State, ReplayStates.Running).SetProperty(r => r.Records, read).SetProperty(r => r.Of, count), cancellationToken)) > 0;
    }

    private async Task<bool> EndIfCancelledAsync(Guid replay, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null && one.CancelRequested).ExecuteUpdateAsync(
            one => one.SetProperty(r => r.State, ReplayStates.Cancelled).SetProperty(r => r.EndedAt, now), cancellationToken)) > 0;
    }

    private async Task<T> InScopeAsync<T>(Func<PaymentsDb, Task<T>> use)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<PaymentsDb>());
    }

    [LoggerMessage(EventName = "RulesReplayed", Level = LogLevel.Information, Message = "The replay {Replay} has looked at {Records} records")]
    private static partial void ReplayEnded(ILogger logger, Guid replay, long records);

    [LoggerMessage(EventName = "RulesReplayFailed", Level = LogLevel.Error, Message = "The replay {Replay} was begun {Attempts} times and came to no end")]
    private static partial void ReplayFailed(ILogger logger, Guid replay, int attempts);
}
