using Shop.Contracts;
using Shop.Messaging.ChangeCapture;
using Shop.Messaging.Consuming;

namespace Shop.Messaging;

/// <summary>What a service produces and consumes; filled in by <see cref="MessagingBuilder"/>.</summary>
internal sealed class MessagingOptions(string serviceName, string? instanceName)
{
    public string ServiceName { get; } = serviceName;

    /// <summary>Names this instance of the service beyond its restarts, where there is such a name: it then keeps its place in its consumer groups.</summary>
    public string? InstanceName { get; } = instanceName;

    /// <summary>The service, as the source of its events.</summary>
    public string EventSource { get; } = $"/shop/{serviceName}";

    /// <summary>The most rows the relay reads at once; the benchmark tries others.</summary>
    public int MaxRelayBatch { get; set; } = 5_000;

    /// <summary>Whether the service's log goes to the topic <c>logs</c> too.</summary>
    public bool ShipsLogs { get; set; }

    /// <summary>What sessions of the service's database say from their start.</summary>
    public List<(string Name, string Value)> SessionSettings { get; } = [];

    public HashSet<Topic> Produced { get; } = [];
    public List<EndpointOptions> Endpoints { get; } = [];
    public List<TableCapture> Captures { get; } = [];
}
