using MassTransit;
using Shop.Contracts;

namespace Shop.Messaging.Consuming;

/// <summary>One consumer group of a service: topics, and what handles their events.</summary>
internal sealed class EndpointOptions(string name)
{
    /// <summary>The Kafka consumer group, and the name under which inbox, offsets and dead letters are kept.</summary>
    public string Name { get; } = name;

    public List<Topic> Topics { get; } = [];

    /// <summary>Whether the inbox remembers the endpoint's events, so that one that comes again has no second effect.</summary>
    public bool Remembers { get; set; } = true;

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

    /// <summary>The most records that share one transaction. Whoever handles each by itself gains little by more, and holds their aggregates for longer.</summary>
    public int MaxBatch { get; set; } = 300;

    /// <summary>Resolves what handles whole batches of records, in place of consumers and sagas.</summary>
    public Func<IServiceProvider, IRecordBatchHandler>? BatchHandler { get; set; }
}
