using MassTransit;
using MassTransit.Context;
using MassTransit.Mediator;
using MassTransit.Saga;
using MassTransit.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Orders.FulfillingOrder;

namespace Shop.Orders.Tests.FulfillingOrder;

/// <summary>
/// Given an order, when events, then its state and what was published: the real state machine in MassTransit's mediator, which
/// returns when the event was handled and throws what its handling threw.
/// </summary>
internal sealed class FulfilmentMachine : IAsyncDisposable, IScheduleMessageProvider
{
    public static readonly OrderDeadlines Deadlines = new()
    {
        Reservation = TimeSpan.FromSeconds(10),
        Payment = TimeSpan.FromSeconds(20),
        Review = TimeSpan.FromHours(1),
        Fulfilment = TimeSpan.FromMinutes(10),
    };

    public static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private readonly ServiceProvider _services;
    private readonly IMediator _mediator;

    private FulfilmentMachine(Order order)
    {
        Order = order;
        var services = new ServiceCollection();
        services.AddSingleton(Time);
        services.AddSingleton(Options.Create(Deadlines));
        services.AddSingleton(Published);
        services.AddMediator(mediator =>
        {
            mediator.AddConsumer<Subscriber>();
            mediator.AddSagaStateMachine<OrderFulfilment, Order>().InMemoryRepository();
            mediator.ConfigureMediator((_, pipeline) => pipeline.UseFilter(new SchedulerFilter(this)));
        });
        _services = services.BuildServiceProvider(validateScopes: true);
        _mediator = _services.GetRequiredService<IMediator>();
    }

    public Order Order { get; }

    public TimeProvider Time { get; } = new FiveSecondsLater();

    /// <summary>What was published, since the order was given.</summary>
    public List<object> Published { get; } = [];

    /// <summary>The deadlines that were scheduled and not cancelled, with their due time.</summary>
    public Dictionary<Guid, (OrderDeadlinePassed Deadline, DateTime Due)> Scheduled { get; } = [];

    public static async Task<FulfilmentMachine> GivenAsync(string state)
    {
        var machine = new FulfilmentMachine(SampleOrders.In(state));
        var repository = machine._services.GetRequiredService<IndexedSagaDictionary<Order>>();
        await repository.MarkInUse(CancellationToken.None);
        repository.Add(new SagaInstance<Order>(machine.Order));
        repository.Release();
        return machine;
    }

    /// <summary>Makes the order one that stands elsewhere, with its deadlines and without anything published.</summary>
    public void Take(Order order, IReadOnlyDictionary<Guid, (OrderDeadlinePassed Deadline, DateTime Due)> scheduled)
    {
        Copy(order, Order);
        Published.Clear();
        Copy(scheduled, Scheduled);
    }

    /// <summary>Makes <paramref name="order"/> what this order has become.</summary>
    public void Give(Order order, Dictionary<Guid, (OrderDeadlinePassed Deadline, DateTime Due)> scheduled)
    {
        Copy(Order, order);
        Copy(Scheduled, scheduled);
    }

    public async Task WhenAsync(params object[] events)
    {
        foreach (var @event in events)
            await _mediator.Publish(@event, TestContext.Current.CancellationToken);
    }

    /// <summary>The scheduled deadline becomes due and comes back with its token, as the relay sends it.</summary>
    public async Task WhenDeadlinePassesAsync(Guid token, OrderDeadlinePassed deadline)
    {
        Scheduled.Remove(token);
        await _mediator.Publish(deadline, context => context.Headers.Set(MessageHeaders.SchedulingTokenId, token.ToString()), TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    public Task<ScheduledMessage<T>> ScheduleSend<T>(Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken)
        where T : class
    {
        var token = Guid.NewGuid();
        Scheduled.Add(token, ((OrderDeadlinePassed)(object)message, scheduledTime));
        return Task.FromResult<ScheduledMessage<T>>(new ScheduledMessageHandle<T>(token, scheduledTime, destinationAddress, message));
    }

    public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken)
    {
        Scheduled.Remove(tokenId);
        return Task.CompletedTask;
    }

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) => CancelScheduledSend(tokenId, cancellationToken);

    private static void Copy(Order from, Order to) => (to.CurrentState, to.Reason, to.Dispatched, to.Captured, to.DeadlineToken, to.DeadlineAt, to.UpdatedAt, to.PaymentToken) =
        (from.CurrentState, from.Reason, from.Dispatched, from.Captured, from.DeadlineToken, from.DeadlineAt, from.UpdatedAt, from.PaymentToken);

    private static void Copy<T>(IReadOnlyDictionary<Guid, T> from, Dictionary<Guid, T> to)
    {
        to.Clear();
        foreach (var (token, value) in from)
            to.Add(token, value);
    }

    /// <summary>Collects what Orders publishes.</summary>
    private sealed class Subscriber(List<object> published) : IConsumer<PaymentRequested>, IConsumer<OrderConfirmed>, IConsumer<OrderCancelled>, IConsumer<OrderFulfilled>
    {
        public Task Consume(ConsumeContext<PaymentRequested> context) => CollectAsync(context.Message);

        public Task Consume(ConsumeContext<OrderConfirmed> context) => CollectAsync(context.Message);

        public Task Consume(ConsumeContext<OrderCancelled> context) => CollectAsync(context.Message);

        public Task Consume(ConsumeContext<OrderFulfilled> context) => CollectAsync(context.Message);

        private Task CollectAsync(object @event)
        {
            published.Add(@event);
            return Task.CompletedTask;
        }
    }

    private sealed class FiveSecondsLater : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now.AddSeconds(5);
    }

    private sealed class SchedulerFilter(IScheduleMessageProvider provider) : IFilter<ConsumeContext>
    {
        public void Probe(ProbeContext context) => context.CreateFilterScope("deadlines");

        public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            // the topology finds addresses for events that are scheduled without one, which a state machine never does
            context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context, _ => new MessageScheduler(provider, null!)));
            return next.Send(context);
        }
    }
}
