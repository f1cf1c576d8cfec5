using Shop.Messaging.Events;

namespace Shop.Messaging.Consuming;

/// <summary>The pipelines of all of a service's endpoints, by their names; each is made when it is first needed.</summary>
internal sealed class EndpointPipelines(MessagingOptions options, EventTypes eventTypes, IServiceProvider services)
{
    private readonly Dictionary<string, Lazy<EndpointPipeline>> _pipelines = options.Endpoints.ToDictionary(
        endpoint => endpoint.Name, endpoint => new Lazy<EndpointPipeline>(() => new(endpoint, eventTypes, services)));

    /// <summary>The pipeline of the endpoint, or null where the service has no such endpoint (any more).</summary>
    public EndpointPipeline? Find(string endpoint) => _pipelines.TryGetValue(endpoint, out var pipeline) ? pipeline.Value : null;
}
