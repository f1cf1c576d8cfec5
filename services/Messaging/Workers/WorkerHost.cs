using System.Data.Common;
using Confluent.Kafka;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Shop.Messaging.Workers;

/// <summary>Keeps a worker at work: one that fails is started again.</summary>
internal sealed class WorkerHost(string name, IWorker worker, WorkersHealth health, TimeProvider time, ILogger<WorkerHost> logger) : BackgroundService
{
    /// <summary>A worker that has been at work for so long since its last failure is counted as well again.</summary>
    internal static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    private static readonly Backoff Pauses = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // yields, so that a worker whose first steps take long does not hold up the start of the host
        await Task.Yield();
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                var running = worker.RunAsync(stoppingToken);
                if (failures > 0)
                {
                    await Task.WhenAny(running, Task.Delay(Calm, time, stoppingToken));
                    if (!running.IsCompleted)
                    {
                        failures = 0;
                        WorkerLog.Works(logger, health, name);
                    }
                }
                await running;
                if (!stoppingToken.IsCancellationRequested)
                    throw new InvalidOperationException("It ended although the service goes on");
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                WorkerLog.Failed(logger, health, name, e);
                await Task.Delay(Pauses.After(++failures), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>Has a worker do its rounds: one that fails is followed by the next.</summary>
internal sealed class PeriodicWorkerHost(string name, IPeriodicWorker worker, WorkersHealth health, TimeProvider time, ILogger<WorkerHost> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(worker.Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await worker.RunOnceAsync(stoppingToken);
                WorkerLog.Works(logger, health, name);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                WorkerLog.Failed(logger, health, name, e);
            }
        }
    }
}

/// <summary>Says once that a worker fails, and once that it works again; the failures between are told by health and metric.</summary>
internal static partial class WorkerLog
{
    public static void Failed(ILogger logger, WorkersHealth health, string worker, Exception failure)
    {
        if (!health.Failed(worker, failure))
            return;
        // what the database or the broker says is about them, and a stack trace of ours adds nothing
        var known = failure is DbException or KafkaException or TimeoutException;
        WorkerFailed(logger, known ? null : failure, worker, failure.GetBaseException().Message);
    }

    public static void Works(ILogger logger, WorkersHealth health, string worker)
    {
        if (health.Works(worker))
            WorkerRecovered(logger, worker);
    }

    [LoggerMessage(EventName = "WorkerFailed", Level = LogLevel.Warning, Message = "{Worker} failed and is started again, until it works: {Reason}")]
    private static partial void WorkerFailed(ILogger logger, Exception? exception, string worker, string reason);

    [LoggerMessage(EventName = "WorkerRecovered", Level = LogLevel.Information, Message = "{Worker} works again")]
    private static partial void WorkerRecovered(ILogger logger, string worker);
}
