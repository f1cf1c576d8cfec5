using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Shop.Messaging.Workers;
using Shop.Testing;

namespace Shop.Messaging.Tests.Workers;

/// <summary>A worker that throws whatever it may throw is started again, and everybody can see that it failed.</summary>
public sealed class WorkerTests
{
    [Fact]
    public async Task A_worker_that_throws_is_degraded_health_and_is_started_again_until_it_works()
    {
        var worker = new Failing(3);
        using var failures = new FailureCounter("failing");
        using var host = Host(services => services.AddWorker("failing", _ => worker));
        var health = host.Services.GetRequiredService<HealthCheckService>();
        await host.StartAsync(TestContext.Current.CancellationToken);

        // the last failure is told for as long as it may fail again at once
        await Eventually.BecomesAsync(3, () => Task.FromResult(failures.Count));
        var report = await health.CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Contains("failing: ", report.Entries["workers"].Description);

        await Eventually.BecomesAsync(HealthStatus.Healthy, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        Assert.Equal(4, worker.Starts);
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(worker.Stopped);
        Assert.Equal(4, worker.Starts);
    }

    [Fact]
    public async Task A_worker_that_just_ends_has_failed_too()
    {
        using var failures = new FailureCounter("ends");
        using var host = Host(services => services.AddWorker("ends", _ => new Ending()));

        await host.StartAsync(TestContext.Current.CancellationToken);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(failures.Count >= 2));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_round_that_throws_is_followed_by_the_next_and_health_tells_until_one_succeeds()
    {
        using var failures = new FailureCounter("rounds");
        using var host = Host(services => services.AddPeriodicWorker<Rounds>("rounds"));
        var rounds = host.Services.GetRequiredService<Rounds>();
        var health = host.Services.GetRequiredService<HealthCheckService>();
        await host.StartAsync(TestContext.Current.CancellationToken);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(failures.Count >= 2));
        Assert.Equal(HealthStatus.Degraded, (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        rounds.Fail = false;

        await Eventually.BecomesAsync(HealthStatus.Healthy, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Pauses_grow_to_their_limit_and_never_beyond()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));
        for (var failures = 1; failures < 100; failures++)
        {
            var longest = Math.Min(2_000, 100 * Math.Pow(2, failures - 1));
            Assert.InRange(backoff.After(failures).TotalMilliseconds, longest / 2, longest);
        }
    }

    private static IHost Host(Action<IServiceCollection> configure)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(TimeProvider.System);
        configure(builder.Services);
        return builder.Build();
    }

    /// <summary>Counts a worker's failures by the metric.</summary>
    private sealed class FailureCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private int _count;

        public FailureCounter(string worker)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "shop.worker.failures")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (Equals(tag.Value, worker))
                        Interlocked.Add(ref _count, (int)value);
                }
            });
            _listener.Start();
        }

        public int Count => Volatile.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>Throws, then works until it is stopped.</summary>
    private sealed class Failing(int times) : IWorker
    {
        public int Starts { get; private set; }

        public bool Stopped { get; private set; }

        public async Task RunAsync(CancellationToken stoppingToken)
        {
            if (++Starts <= times)
                throw new NotSupportedException($"Failure {Starts}");
            try
            {
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            finally
            {
                Stopped = true;
            }
        }
    }

    private sealed class Ending : IWorker
    {
        public Task RunAsync(CancellationToken stoppingToken) => Task.CompletedTask;
    }

    private sealed class Rounds : IPeriodicWorker
    {
        public bool Fail { get; set; } = true;

        public TimeSpan Interval => TimeSpan.FromMilliseconds(10);

        public Task RunOnceAsync(CancellationToken stoppingToken) => Fail ? throw new FormatException("not this time") : Task.CompletedTask;
    }
}
