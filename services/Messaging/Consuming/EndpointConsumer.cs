using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Kafka;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Consuming;

/// <summary>
/// Reads one endpoint's topics, with a consumer that is made anew whenever it fails: an endpoint is never given up, and nothing is skipped
/// by beginning again from the offset rows.
/// </summary>
internal sealed class EndpointConsumer(EndpointOptions endpoint, TopicCreation topics, IServiceProvider services) : IWorker
{
    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        await topics.EnsureAllAsync(stoppingToken);
        var processor = ActivatorUtilities.CreateInstance<BatchProcessor>(services, endpoint);
        var feed = ActivatorUtilities.CreateInstance<PartitionFeed>(services, endpoint, processor);
        await feed.RunAsync(stoppingToken);
    }
}
