using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Shop.Messaging.WarmUp;

/// <summary>Runs the warm-up once, beside the joining of consumer groups; until then the instance is not ready.</summary>
internal sealed partial class WarmUpHost(IServiceScopeFactory scopes, IHostApplicationLifetime lifetime, ILogger<WarmUpHost> logger) : BackgroundService, IHealthCheck
{
    /// <summary>An instance that could not warm up in this time works cold.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private readonly TaskCompletionSource<HealthCheckResult> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        _end.Task.IsCompleted ? _end.Task : Task.FromResult(HealthCheckResult.Unhealthy("The service is warming up"));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // the routes are there when the host has started
        await Task.Delay(Timeout.InfiniteTimeSpan, lifetime.ApplicationStarted).WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested)
            return;
        var started = Stopwatch.GetTimestamp();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        deadline.CancelAfter(Deadline);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await Rehearsal.RunAsync(scope, deadline.Token);
            WarmedUp(logger, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            _end.SetResult(HealthCheckResult.Healthy());
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            // whatever it was: real work is done, or retried, and reported by what does it
            WarmUpFailed(logger, e.GetBaseException().Message);
            _end.SetResult(HealthCheckResult.Healthy("The warm-up failed: the log tells why"));
        }
    }

    [LoggerMessage(EventName = "WarmedUp", Level = LogLevel.Information, Message = "Warmed up in {Milliseconds:0} ms")]
    private static partial void WarmedUp(ILogger logger, double milliseconds);

    [LoggerMessage(EventName = "WarmUpFailed", Level = LogLevel.Warning, Message = "The warm-up failed, and the first requests and events will take longer: {Reason}")]
    private static partial void WarmUpFailed(ILogger logger, string reason);
}
