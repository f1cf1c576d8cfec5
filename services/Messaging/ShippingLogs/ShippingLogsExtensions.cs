using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;
using Shop.Messaging.Streams;
using Shop.Messaging.Workers;

namespace Shop.Messaging.ShippingLogs;

internal static class ShippingLogsExtensions
{
    /// <summary>What the lines' own stream is registered by: whoever makes a service closes it, too.</summary>
    internal const string StreamKey = "logs";

    /// <summary>Adds the topic <c>logs</c> to where the service's log goes: warnings and errors, unless <c>ShippedLogs:Level</c> says otherwise.</summary>
    public static void AddShippingLogs(this IHostApplicationBuilder builder, KafkaConnection kafka, MessagingOptions options)
    {
        var eventTypes = new EventTypes([Topics.Logs], []);
        var lowest = builder.Configuration.GetValue("ShippedLogs:Level", LogLevel.Warning);
        builder.Services.AddSingleton<LogQueue>();
        builder.Services.AddSingleton<ILoggerProvider>(provider =>
            new ShippedLogs(options.ServiceName, lowest, provider.GetRequiredService<LogQueue>(), provider.GetRequiredService<TimeProvider>()));
        // a producer of its own: lines do not stand in the way of anything else
        builder.Services.AddKeyedSingleton(StreamKey, (provider, _) => new EventStream(kafka,
            new TopicCreation(kafka, eventTypes, options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TopicCreation>>()), eventTypes, options,
            provider.GetRequiredService<KafkaLog>(), provider.GetRequiredService<TimeProvider>(), "logs"));
        builder.Services.AddWorker("log shipper", provider =>
            new LogShipper(provider.GetRequiredService<LogQueue>(), provider.GetRequiredKeyedService<EventStream>(StreamKey)));
    }
}
