using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shop.Contracts;

namespace Shop.Messaging.Tests;

public sealed record TicketOpened(Guid TicketId, int Amount);
public sealed record TicketPaid(Guid TicketId, int Amount);
public sealed record TicketClosed(Guid TicketId, int Total);
public sealed record TicketExpired(Guid TicketId);
public sealed record NobodyCares(Guid TicketId);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TicketOpened))]
[JsonSerializable(typeof(TicketPaid))]
[JsonSerializable(typeof(TicketClosed))]
[JsonSerializable(typeof(TicketExpired))]
[JsonSerializable(typeof(NobodyCares))]
public sealed partial class TestJson : JsonSerializerContext;

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
    /// <summary>The amount of a ticket that expires within <see cref="TestService.Expiry"/>; others live for an hour.</summary>
    public const int ShortLived = 99;

    /// <summary>Tickets whose payments cannot be handled, until somebody mends it.</summary>
    public static ConcurrentDictionary<Guid, bool> Broken { get; } = new();

    public TicketMachine()
    {
        InstanceState(ticket => ticket.CurrentState);
        Event(() => Opened, e => e.CorrelateById(context => context.Message.TicketId));
        Event(() => PaymentMade, e => e.CorrelateById(context => context.Message.TicketId));
        Schedule(() => Expiry, ticket => ticket.ExpiryToken, s => s.Received = e => e.CorrelateById(context => context.Message.TicketId));

        Initially(
            When(Opened).Then(context => context.Saga.Total = context.Message.Amount)
                .Schedule(Expiry, context => new TicketExpired(context.Saga.CorrelationId), context => context.Message.Amount == ShortLived ? TestService.Expiry : TimeSpan.FromHours(1))
                .TransitionTo(Open));
        During(Open,
            Ignore(Opened),
            When(PaymentMade)
                .Then(context => context.Saga.Paid += Broken.ContainsKey(context.Saga.CorrelationId) ? throw new InvalidOperationException("the handler is broken") : context.Message.Amount)
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

public sealed class TestDb(DbContextOptions<TestDb> options, Outbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<Ticket> Tickets => Set<Ticket>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Ticket>(ticket =>
    {
        ticket.ToTable("tickets").HasKey(t => t.CorrelationId);
        ticket.Property(t => t.CorrelationId).ValueGeneratedNever();
        ticket.Property(t => t.Version).IsConcurrencyToken();
    });
}

[DbContext(typeof(TestDb)), Migration("1_Tickets")]
public sealed class CreateTickets : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateMessagingTables();
        migrationBuilder.Sql("""
            CREATE TABLE tickets (correlation_id uuid PRIMARY KEY, current_state text NOT NULL, version integer NOT NULL,
              total integer NOT NULL, paid integer NOT NULL, expiry_token uuid);
            """);
    }
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

/// <summary>A service with a saga and a subscriber, on topics of its own, so that many tests can share a broker.</summary>
public sealed class TestService : IAsyncDisposable
{
    public static readonly TimeSpan Expiry = TimeSpan.FromSeconds(1);

    private readonly WebApplication _host;
    private readonly HttpClient _client;

    private TestService(WebApplication host, string name, Topic tickets, Topic closed)
    {
        _host = host;
        _client = new() { BaseAddress = new($"{host.Urls.First()}/api/ops/{name}/dead-letters/") };
        Tickets = tickets;
        Closed = closed;
    }

    public Topic Tickets { get; }
    public Topic Closed { get; }
    public Received Received => _host.Services.GetRequiredService<Received>();

    public static async Task<TestService> StartAsync(string database, string kafka, string name, CancellationToken cancellationToken = default)
    {
        var tickets = new Topic($"{name}-tickets", 3)
            .With(e => e.TicketId.ToString(), TestJson.Default.TicketOpened)
            .With(e => e.TicketId.ToString(), TestJson.Default.TicketPaid)
            .With(e => e.TicketId.ToString(), TestJson.Default.TicketExpired)
            .With(e => e.TicketId.ToString(), TestJson.Default.NobodyCares);
        var closed = new Topic($"{name}-closed", 3).With(e => e.TicketId.ToString(), TestJson.Default.TicketClosed);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [$"ConnectionStrings:{name}"] = database,
            ["ConnectionStrings:kafka"] = kafka,
            ["URLS"] = "http://127.0.0.1:0",
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddSimpleConsole(options => options.SingleLine = true).SetMinimumLevel(LogLevel.Information);
        builder.Services.AddSingleton<Received>();
        builder.AddMessaging<TestDb>(name, messaging => messaging
            .Produces(tickets, closed)
            .Endpoint("saga", endpoint => endpoint.Consumes(tickets).Saga<TicketMachine, Ticket>())
            .Endpoint("subscriber", endpoint => endpoint.Consumes(closed).Consumer<Subscriber>()));
        var app = builder.Build();
        app.MapMessaging(name);
        await app.StartAsync(cancellationToken);
        return new(app, name, tickets, closed);
    }

    /// <summary>Publishes events in one transaction.</summary>
    public async Task PublishAsync(params object[] events)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TestDb>();
        foreach (var e in events)
            db.Publish(e);
        await db.SaveChangesAsync();
    }

    public async Task<T> QueryAsync<T>(Func<TestDb, Task<T>> query)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<TestDb>());
    }

    /// <summary>The service's dead letters, as an operator sees them.</summary>
    public async Task<IReadOnlyList<DeadLetterView>> DeadLettersAsync() => (await _client.GetFromJsonAsync<DeadLetterPage>(""))!.Items;

    /// <summary>Redrives or discards a dead letter, as an operator does.</summary>
    public async Task<HttpStatusCode> EndDeadLetterAsync(Guid id, string command)
    {
        using var response = await _client.PostAsync($"{id}/{command}", null);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.StopAsync();
        await _host.DisposeAsync();
    }
}
