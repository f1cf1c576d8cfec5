using System.Text.Json;
using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Testing;

namespace Shop.Benchmarks.Messaging;

public sealed record AccountOpened(Guid AccountId, int Number, string Note);
public sealed record AccountChanged(Guid AccountId, int Number, string Note);
public sealed record AccountNoted(Guid AccountId, int Number, string Note);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(AccountOpened))]
[JsonSerializable(typeof(AccountChanged))]
[JsonSerializable(typeof(AccountNoted))]
public sealed partial class AccountJson : JsonSerializerContext;

public sealed class Account : SagaStateMachineInstance, ISagaVersion
{
    public Guid CorrelationId { get; set; }
    public string CurrentState { get; set; } = "";
    public int Changes { get; set; }
    public int Version { get; set; }
}

/// <summary>The saga that is measured: every event changes its instance and publishes another event.</summary>
public sealed class AccountMachine : MassTransitStateMachine<Account>
{
    public AccountMachine()
    {
        InstanceState(account => account.CurrentState);
        Event(() => Opened, e => e.CorrelateById(context => context.Message.AccountId));
        Event(() => Changed, e => e.CorrelateById(context => context.Message.AccountId));
        Initially(When(Opened)
            .Then(context => context.Saga.Changes++)
            .Publish(context => new AccountNoted(context.Message.AccountId, context.Message.Number, context.Message.Note))
            .TransitionTo(Open));
        During(Open, When(Changed)
            .Then(context => context.Saga.Changes++)
            .Publish(context => new AccountNoted(context.Message.AccountId, context.Message.Number, context.Message.Note)));
    }

    public State Open { get; private set; } = null!;
    public Event<AccountOpened> Opened { get; private set; } = null!;
    public Event<AccountChanged> Changed { get; private set; } = null!;
}

public sealed class AccountsDb(DbContextOptions<AccountsDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Account>(account =>
        {
            account.ToTable("accounts").HasKey(a => a.CorrelationId);
            account.Property(a => a.CorrelationId).ValueGeneratedNever();
            account.Property(a => a.Version).IsConcurrencyToken();
        });
    }
}

[DbContext(typeof(AccountsDb)), Migration("1_Accounts")]
public sealed class CreateAccounts : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateModel<AccountsDb>();
}

/// <summary>The service that is measured: a saga on one topic, which publishes to another, and a subscriber of that.</summary>
internal sealed class AccountService : IAsyncDisposable
{
    private readonly IHost _host;

    private AccountService(IHost host) => _host = host;

    public static Topic Accounts { get; } = new Topic("accounts", 6)
        .With(e => e.AccountId.ToString(), AccountJson.Default.AccountOpened)
        .With(e => e.AccountId.ToString(), AccountJson.Default.AccountChanged);

    public static Topic Notes { get; } = new Topic("notes", 6).With(e => e.AccountId.ToString(), AccountJson.Default.AccountNoted);

    public IServiceProvider Services => _host.Services;

    /// <param name="database">An empty database.</param>
    /// <param name="kafka">A broker of its own.</param>
    /// <param name="batch">The most records of a transaction, and of a read of the relay; null for the defaults.</param>
    /// <param name="withSaga">Whether the saga runs.</param>
    /// <param name="subscriber">Handles what is published; null for nobody.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<AccountService> StartAsync(string database, string kafka, int? batch, bool withSaga, Action<AccountNoted>? subscriber, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:bench"] = database, ["ConnectionStrings:kafka"] = kafka });
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        builder.AddMessaging<AccountsDb>("bench", messaging =>
        {
            messaging.Produces(Accounts, Notes);
            if (withSaga)
                messaging.Endpoint("saga", endpoint => endpoint.Consumes(Accounts).Saga<AccountMachine, Account>());
            if (subscriber is not null)
                messaging.Endpoint("notes", endpoint => endpoint.Consumes(Notes).Consumer<Subscriber>());
        });
        if (subscriber is not null)
            builder.Services.AddSingleton(subscriber);
        if (batch is { } size)
        {
            var options = (MessagingOptions)builder.Services.Single(service => service.ServiceType == typeof(MessagingOptions)).ImplementationInstance!;
            foreach (var endpoint in options.Endpoints)
                endpoint.MaxBatch = size;
            options.MaxRelayBatch = size;
        }
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private sealed class Subscriber(Action<AccountNoted> handle) : IConsumer<AccountNoted>
    {
        public Task Consume(ConsumeContext<AccountNoted> context)
        {
            handle(context.Message);
            return Task.CompletedTask;
        }
    }
}
