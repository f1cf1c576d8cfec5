using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Messaging;

/// <summary>Declares what a service produces and consumes.</summary>
public sealed class MessagingBuilder
{
    private readonly MessagingOptions _options;

    internal MessagingBuilder(MessagingOptions options) => _options = options;

    /// <summary>The topics whose events this service may publish; they are created where they do not exist.</summary>
    public MessagingBuilder Produces(params ReadOnlySpan<Topic> topics)
    {
        foreach (var topic in topics)
            _options.Produced.Add(topic);
        return this;
    }

    /// <summary>Adds an endpoint: a consumer group of its own, named <c>service.name</c>.</summary>
    public MessagingBuilder Endpoint(string name, Action<EndpointBuilder> configure)
    {
        var endpoint = new EndpointOptions($"{_options.ServiceName}.{name}");
        configure(new(endpoint));
        _options.Endpoints.Add(endpoint);
        return this;
    }
}
