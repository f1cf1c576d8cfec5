using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Messaging.Tests.Hosting;

public sealed record TicketOpened(Guid TicketId, int Amount);
public sealed record TicketPaid(Guid TicketId, int Amount);
public sealed record TicketClosed(Guid TicketId, int Total);
public sealed record TicketExpired(Guid TicketId);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TicketOpened))]
[JsonSerializable(typeof(TicketPaid))]
[JsonSerializable(typeof(TicketClosed))]
[JsonSerializable(typeof(TicketExpired))]
public sealed partial class TicketJson : JsonSerializerContext;

/// <summary>A saga of its own: paid in parts, closed when everything is paid, expired when that takes too long.</summary>
public sealed class Ticket : SagaStateMachineInstance, ISagaVersion
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "";
    public int Version { get; set; }
    public int Total { get; set; }
    public int Paid { get; set; }
    public Guid? ExpiryToken { get; set; }
}

public sealed class TicketMachine : MassTransitStateMachine<Ticket>
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public TicketMachine()
    {
        InstanceState(ticket => ticket.CurrentState);
        Event(() => Opened, e => e.CorrelateById(context => context.Message.TicketId));
        Event(() => PaymentMade, e => e.CorrelateById(context => context.Message.TicketId));
        Schedule(() => Expiry, ticket => ticket.ExpiryToken, s => s.Received = e => e.CorrelateById(context => context.Message.TicketId));

        Initially(
            When(Opened).Then(context => context.Saga.Total = context.Message.Amount)
                .Schedule(Expiry, context => new TicketExpired(context.Saga.CorrelationId), _ => Lifetime)
                .TransitionTo(Open));
        During(Open,
            Ignore(Opened),
            When(PaymentMade)
                .Then(context => context.Saga.Paid += context.Message.Amount)
                .If(context => context.Saga.Paid >= context.Saga.Total, paid => paid
                    .Unschedule(Expiry)
                    .Publish(context => new TicketClosed(context.Saga.CorrelationId, context.Saga.Paid))
                    .TransitionTo(Closed)),
            When(Expiry.Received).TransitionTo(Expired));
        During(Closed, Ignore(Opened), Ignore(PaymentMade), Ignore(Expiry.Received));
        During(Expired, Ignore(Opened), Ignore(PaymentMade), Ignore(Expiry.Received));
    }

    public State Open { get; private set; } = null!;
    public State Closed { get; private set; } = null!;
    public State Expired { get; private set; } = null!;
    public Event<TicketOpened> Opened { get; private set; } = null!;
    public Event<TicketPaid> PaymentMade { get; private set; } = null!;
    public Schedule<Ticket, TicketExpired> Expiry { get; private set; } = null!;
}

/// <summary>Collects what the subscriber endpoint was given, in its order.</summary>
public sealed class Received
{
    public ConcurrentQueue<object> Events { get; } = new();
}

public sealed class Subscriber(Received received) : IConsumer<TicketClosed>
{
    public Task Consume(ConsumeContext<TicketClosed> context)
    {
        received.Events.Enqueue(context.Message);
        return Task.CompletedTask;
    }
}

/// <summary>A service with a saga and a subscriber: its topics and database, for one test.</summary>
public sealed class TicketService : IDisposable
{
    private TicketService(string name, string database, string kafka)
    {
        (Name, Database, Kafka) = (name, database, kafka);
        Tickets = new Topic($"{name}-tickets", 3)
            .With(e => e.TicketId.ToString(), TicketJson.Default.TicketOpened)
            .With(e => e.TicketId.ToString(), TicketJson.Default.TicketPaid)
            .With(e => e.TicketId.ToString(), TicketJson.Default.TicketExpired);
        Closed = new Topic($"{name}-closed", 3).With(e => e.TicketId.ToString(), TicketJson.Default.TicketClosed);
        Topics = new(kafka);
    }

    public string Name { get; }
    public string Database { get; }
    public string Kafka { get; }
    public Topic Tickets { get; }
    public Topic Closed { get; }
    public TopicClient Topics { get; }
    public Received Received { get; } = new();

    public static async Task<TicketService> CreateAsync(PostgresFixture postgres, BrokerFixture brokers, Broker broker) => new(
        $"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), (await brokers.GetAsync(broker)).BootstrapServers);

    public Task<ServiceHarness<TestDb>> StartAsync(TimeProvider? time = null) => ServiceHarness<TestDb>.StartAsync(Name, Database, Kafka,
        messaging => messaging
            .Produces(Tickets, Closed)
            .Endpoint("saga", endpoint => endpoint.Consumes(Tickets).Saga<TicketMachine, Ticket>())
            .Endpoint("subscriber", endpoint => endpoint.Consumes(Closed).Consumer<Subscriber>()),
        services =>
        {
            services.AddSingleton(Received);
            services.AddSingleton(time ?? TimeProvider.System);
        }, TestContext.Current.CancellationToken);

    public void Dispose() => Topics.Dispose();
}

internal static class TicketQueries
{
    public static Task<int> PaidAsync(this ServiceHarness<TestDb> service, Guid ticket) =>
        service.QueryAsync(db => db.Tickets.Where(t => t.CorrelationId == ticket).Select(t => t.Paid).SingleOrDefaultAsync());

    public static Task<string?> StateAsync(this ServiceHarness<TestDb> service, Guid ticket) =>
        service.QueryAsync(db => db.Tickets.Where(t => t.CorrelationId == ticket).Select(t => t.CurrentState).SingleOrDefaultAsync());
}
