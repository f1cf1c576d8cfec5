using MassTransit;
using Shop.Contracts;

namespace Shop.Messaging;

/// <summary>What a service produces and consumes; filled in by <see cref="MessagingBuilder"/>.</summary>
internal sealed class MessagingOptions(string serviceName, string? instanceName)
{
    public string ServiceName { get; } = serviceName;

    /// <summary>Names this instance of the service beyond its restarts, where there is such a name: it then keeps its place in its consumer groups.</summary>
    public string? InstanceName { get; } = instanceName;

    /// <summary>The service, as the source of its events.</summary>
    public string EventSource { get; } = $"/shop/{serviceName}";

    /// <summary>The most records that share one transaction; the benchmark tries others.</summary>
    public int MaxConsumeBatch { get; set; } = 300;

    /// <summary>The most rows the relay reads at once; the benchmark tries others.</summary>
    public int MaxRelayBatch { get; set; } = 5_000;

    public HashSet<Topic> Produced { get; } = [];
    public List<EndpointOptions> Endpoints { get; } = [];
}

/// <summary>One consumer group of a service: topics, and what handles their events.</summary>
internal sealed class EndpointOptions(string name)
{
    /// <summary>The Kafka consumer group, and the name under which inbox, offsets and dead letters are kept.</summary>
    public string Name { get; } = name;

    public List<Topic> Topics { get; } = [];

    /// <summary>Adds the endpoint's consumers and sagas to MassTransit.</summary>
    public List<Action<IBusRegistrationConfigurator>> Registrations { get; } = [];

    /// <summary>Connects the endpoint's consumers and sagas to its pipeline.</summary>
    public List<Action<IReceiveEndpointConfigurator, IBusRegistrationContext>> Connections { get; } = [];

    /// <summary>The records that the consumers and sagas handle; events of other types are skipped.</summary>
    public HashSet<Type> HandledTypes { get; } = [];

    /// <summary>The saga of this endpoint, by which batches prefetch.</summary>
    public Type? SagaType { get; set; }

    /// <summary>Resolves what loads a batch's rows before its handlers run.</summary>
    public Func<IServiceProvider, IBatchPrefetch>? Prefetch { get; set; }

    /// <summary>Resolves what handles whole batches of records, in place of consumers and sagas.</summary>
    public Func<IServiceProvider, IRecordBatchHandler>? BatchHandler { get; set; }
}

/// <summary>Loads the rows that a batch's handlers are going to need, in as few queries as possible, into the scope's DbContext.</summary>
public interface IBatchPrefetch
{
    /// <summary>Called once a batch, in its transaction, before the first handler.</summary>
    /// <param name="messages">The batch's events, in their order, without duplicates and parked ones.</param>
    /// <param name="cancellationToken">Cancelled when the service stops.</param>
    Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken);
}

/// <summary>Handles records in batches and of any type, without deserialising them: for feeds, archives and projections.</summary>
public interface IRecordBatchHandler
{
    /// <summary>Called once a batch, in its transaction; the changes are saved afterwards.</summary>
    /// <param name="records">The batch's records, in their order within each partition, without duplicates and parked ones.</param>
    /// <param name="cancellationToken">Cancelled when the service stops.</param>
    Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken);
}
