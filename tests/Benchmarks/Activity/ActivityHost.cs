using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Activity;
using Shop.Messaging;

namespace Shop.Benchmarks.Activity;

/// <summary>A part of Activity alone, in this process: so that what the others do at the same time is not measured with it.</summary>
internal static class ActivityHost
{
    /// <summary>Starts it.</summary>
    /// <param name="database">Its database.</param>
    /// <param name="kafka">The broker.</param>
    /// <param name="endpoints">What it consumes.</param>
    /// <param name="services">What else it does.</param>
    /// <param name="settings">Its settings, by their names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IHost> StartAsync(string database, string kafka, Action<MessagingBuilder> endpoints, Action<IHostApplicationBuilder> services, Dictionary<string, string?> settings, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings).AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:activity"] = database, ["ConnectionStrings:kafka"] = kafka });
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        builder.AddMessaging<ActivityDb>("activity", endpoints);
        services(builder);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return host;
    }

    /// <summary>Stops and forgets it.</summary>
    public static async Task EndAsync(this IHost host)
    {
        await host.StopAsync();
        host.Dispose();
    }
}
