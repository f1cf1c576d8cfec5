using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Consuming;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Schema;
using Shop.Messaging.Tests.Hosting;

namespace Shop.Messaging.Tests.Properties;

/// <summary>The journal service without a broker: its batches, its database and its dead letters are real, what is delivered to it the tests decide.</summary>
internal sealed class EndpointSimulation : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly JournalService _service;
    private readonly BatchProcessor[] _processors;
    private int _sequences;

    private EndpointSimulation(WebApplication host, JournalService service)
    {
        _host = host;
        _service = service;
        var endpoint = host.Services.GetRequiredService<MessagingOptions>().Endpoints.Single();
        _processors = [.. Enumerable.Range(0, 2).Select(_ => ActivatorUtilities.CreateInstance<BatchProcessor>(host.Services, endpoint))];
    }

    public static async Task<EndpointSimulation> StartAsync(string database)
    {
        var service = new JournalService("simulated", database, kafka: "127.0.0.1:1");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:simulated"] = database, ["ConnectionStrings:kafka"] = service.Kafka });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<Hooks>();
        builder.AddMessaging<TestDb>(service.Name, service.Declare);
        var host = builder.Build();
        // only the migration: neither consumers nor the relay
        await host.Services.GetServices<IHostedService>().OfType<DatabaseMigrator<TestDb>>().Single().StartAsync(CancellationToken.None);
        return new(host, service);
    }

    /// <summary>Runs the steps, then lets everything come to rest, and compares with a sequential run of the same log.</summary>
    public async Task RunAsync(Step[] steps)
    {
        // a partition and keys of its own for each sequence: they need not wait for an empty database
        var run = new SimulatedLane(_service, _sequences++, _processors, _host.Services.GetRequiredService<Redriving>());
        _host.Services.GetRequiredService<Hooks>().OnNoted = run.OnNotedAsync;
        foreach (var step in steps)
            await run.StepAsync(step);
        await run.RestAsync();
        await run.EqualsSequentialRunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _service.Dispose();
        await _host.DisposeAsync();
    }
}
