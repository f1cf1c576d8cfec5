using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Shop.ServiceDefaults;

/// <summary>
/// How a process ends that is replaced while it works. Told to stop it is no longer ready, and serves what still comes until balancers have seen that; its
/// answers close their connections meanwhile, so that none is left on which a request comes too late. Then its streams end, it takes no connection any more,
/// and what is under way comes to its end (<see cref="HostOptions.ShutdownTimeout"/>, 30 s).
/// </summary>
public sealed class Draining : IHostedLifecycleService, IHealthCheck, IDisposable
{
    /// <summary>Setting: how long it goes on serving. Longer than balancers take: the gateway asks every 2 s. In Development, where nobody waits, nothing unless given.</summary>
    public const string Delay = "Draining:Delay";

    private static readonly TimeSpan DefaultDelay = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _over = new();
    private readonly TimeSpan _delay;
    private readonly TimeProvider _time;

    /// <summary>Reads the setting.</summary>
    /// <exception cref="InvalidOperationException">The time is negative.</exception>
    public Draining(IConfiguration configuration, IHostEnvironment environment, TimeProvider time)
    {
        _delay = configuration.GetValue<TimeSpan?>(Delay) ?? (environment.IsDevelopment() ? TimeSpan.Zero : DefaultDelay);
        if (_delay < TimeSpan.Zero)
            throw new InvalidOperationException($"{Delay} must not be negative");
        _time = time;
    }

    /// <summary>Cancelled when the process takes no requests any more: streams, which have no end of their own, end then.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Whether the process was told to stop.</summary>
    private bool HasBegun { get; set; }

    /// <summary>Before anything else is stopped.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        HasBegun = true;
        await Task.Delay(_delay, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _over.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // the host was disposed of while it stopped: nobody is left who streams
        }
    }

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HasBegun ? HealthCheckResult.Unhealthy("it stops") : HealthCheckResult.Healthy());

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _over.Dispose();

    internal static void Add(IServiceCollection services)
    {
        services.AddSingleton<Draining>().AddHostedService(provider => provider.GetRequiredService<Draining>());
        services.AddHealthChecks().AddCheck<Draining>("draining", tags: [HealthEndpoints.ReadyTag]);
    }

    /// <summary>Has answers close their connections from the time on at which the process is told to stop.</summary>
    internal static void Use(WebApplication app)
    {
        var draining = app.Services.GetRequiredService<Draining>();
        app.Use((context, next) =>
        {
            if (draining.HasBegun && HttpProtocol.IsHttp11(context.Request.Protocol))
                context.Response.Headers.Connection = "close";
            return next(context);
        });
    }
}
