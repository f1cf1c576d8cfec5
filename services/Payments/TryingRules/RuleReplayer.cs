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

    private async Task TryCarryOutAsync(CancellationToken cancellationToken)
    {
        await using var session = await dataSource.OpenConnectionAsync(cancellationToken);
        if (!await AdvisoryLocks.TryTakeAsync(session, Lock, cancellationToken))
            return;
        try
        {
            // who had the lock may have ended it since
            if (await FindAsync(cancellationToken) is { } replay)
                await CarryOutAsync(replay, cancellationToken);
        }
        finally
        {
            await AdvisoryLocks.ReleaseAsync(session);
        }
    }

    private async Task CarryOutAsync(RuleReplay replay, CancellationToken cancellationToken)
    {
        var live = await InScopeAsync(db => rules.CurrentAsync(db, cancellationToken));
        var tried = new Screener(JsonSerializer.Deserialize(replay.Rules, PaymentsJson.Default.RuleSet)!);
        var payments = new ReplayedPayments(live.Live.Screener, tried, tokens);
        _ = ReplayStart.TryParse(replay.From, out var start);
        var (count, records) = await stored.OpenAsync(start, cancellationToken);
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
            one => one.SetProperty(r => r.State, ReplayStates.Done).SetProperty(r => r.Records, read).SetProperty(r => r.Report, report).SetProperty(r => r.EndedAt, now), cancellationToken));
        ReplayEnded(logger, replay.Id, read);
    }

    /// <summary>Tells how far it is; false where it is to end.</summary>
    private async Task<bool> ReportAsync(Guid replay, long read, long count, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null && one.CancelRequested).ExecuteUpdateAsync(
            one => one.SetProperty(r => r.State, ReplayStates.Cancelled).SetProperty(r => r.EndedAt, now), cancellationToken));
        return await InScopeAsync(db => db.RuleReplays.Where(one => one.Id == replay && one.EndedAt == null).ExecuteUpdateAsync(
            one => one.SetProperty(r => r.State, ReplayStates.Running).SetProperty(r => r.Records, read).SetProperty(r => r.Of, count), cancellationToken)) > 0;
    }

    private async Task<T> InScopeAsync<T>(Func<PaymentsDb, Task<T>> use)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<PaymentsDb>());
    }

    [LoggerMessage(EventName = "RulesReplayed", Level = LogLevel.Information, Message = "The replay {Replay} has looked at {Records} records")]
    private static partial void ReplayEnded(ILogger logger, Guid replay, long records);
}
