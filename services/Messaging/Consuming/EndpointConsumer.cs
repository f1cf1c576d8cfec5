using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>Reads one endpoint's topics, with a consumer that is made anew whenever it fails.</summary>
internal sealed partial class EndpointConsumer(EndpointOptions endpoint, TopicCreation topics, IServiceProvider services, ILogger<EndpointConsumer> logger)
    : BackgroundService
{
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // yields, so that a broker that is away does not hold up the start of the host
        await Task.Yield();
        await topics.EnsureAllAsync(stoppingToken);
        var processor = ActivatorUtilities.CreateInstance<BatchProcessor>(services, endpoint);
        while (!stoppingToken.IsCancellationRequested)
        {
            var feed = ActivatorUtilities.CreateInstance<PartitionFeed>(services, endpoint, processor);
            try
            {
                await feed.RunAsync(stoppingToken);
            }
            // whatever it was: an endpoint is never given up, and nothing is skipped by beginning again from the offset rows
            catch (Exception e)
            {
                ConsumerFailed(logger, e, endpoint.Name);
                await Task.Delay(RestartDelay, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(EventName = "ConsumerFailed", Level = LogLevel.Error, Message = "{Endpoint} lost its consumer and makes a new one")]
    private static partial void ConsumerFailed(ILogger logger, Exception exception, string endpoint);
}
