using MassTransit;
using MassTransit.Configuration;
using MassTransit.Saga;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Messaging.Sagas;

namespace Shop.Messaging.Consuming;

/// <summary>Declares one endpoint: the topics it reads, and the MassTransit consumers and state machines that handle their events.</summary>
public sealed class EndpointBuilder
{
    /// <summary>Statements about whole sets cost little more for each round trip, and what happens to an aggregate within a batch is one change.</summary>
    private const int MaxSetBatch = 3_000;

    private readonly EndpointOptions _options;

    internal EndpointBuilder(EndpointOptions options) => _options = options;

    /// <summary>The topics to read. Partitions of the same number are handled together, so topics joined by key need the same count.</summary>
    public EndpointBuilder Consumes(params ReadOnlySpan<Topic> topics)
    {
        _options.Topics.AddRange(topics);
        return this;
    }

    /// <summary>Handles events with an ordinary MassTransit consumer; it is resolved once a batch, in the batch's scope.</summary>
    public EndpointBuilder Consumer<TConsumer>() where TConsumer : class, IConsumer
    {
        foreach (var type in typeof(TConsumer).GetInterfaces().Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IConsumer<>)))
            _options.HandledTypes.Add(type.GetGenericArguments()[0]);
        _options.Registrations.Add(bus => bus.AddConsumer<TConsumer>());
        _options.Connections.Add((endpoint, context) => endpoint.ConfigureConsumer<TConsumer>(context));
        return this;
    }

    /// <summary>Handles events with a MassTransit state machine, whose instances live in the service's database.</summary>
    /// <remarks>Record keys have to be the instances' correlation ids: by them a batch's instances are loaded in one query.</remarks>
    public EndpointBuilder Saga<TStateMachine, TInstance>()
        where TStateMachine : class, SagaStateMachine<TInstance>, new()
        where TInstance : class, SagaStateMachineInstance
    {
        foreach (var @event in new TStateMachine().Events)
        {
            if (@event.GetType().GetInterfaces().FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Event<>)) is { } typed)
                _options.HandledTypes.Add(typed.GetGenericArguments()[0]);
        }
        _options.SagaType = typeof(TInstance);
        _options.Registrations.Add(bus => bus.AddSagaStateMachine<TStateMachine, TInstance>().Repository(repository =>
            repository.RegisterSagaRepository<TInstance, MessagingDbContext, SagaConsumeContextFactory<MessagingDbContext, TInstance>, BatchSagaRepository<TInstance>>()));
        _options.Connections.Add((endpoint, context) => endpoint.ConfigureSaga<TInstance>(context));
        return this;
    }

    /// <summary>Loads a batch's rows before its handlers run.</summary>
    public EndpointBuilder Prefetch<TPrefetch>() where TPrefetch : class, IBatchPrefetch
    {
        _options.Prefetch = services => ActivatorUtilities.GetServiceOrCreateInstance<TPrefetch>(services);
        return this;
    }

    /// <summary>Handles records of every type in batches, in place of consumers and state machines.</summary>
    public EndpointBuilder BatchHandler<THandler>() where THandler : class, IRecordBatchHandler
    {
        _options.BatchHandler = services => ActivatorUtilities.GetServiceOrCreateInstance<THandler>(services);
        _options.MaxBatch = MaxSetBatch;
        return this;
    }

    /// <summary>
    /// Keeps no memory of events in the inbox, for streams of which there would be too many: the handler itself makes sure that one which comes
    /// again, under another offset, has no second effect. Effects and offsets are one transaction all the same.
    /// </summary>
    public EndpointBuilder Idempotent()
    {
        _options.Remembers = false;
        return this;
    }
}
