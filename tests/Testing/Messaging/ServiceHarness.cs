using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Shop.Messaging;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Relay;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Testing;

/// <summary>
/// One instance of a service that is built on Messaging, on a real database and a real broker, for tests: publish, wait for what
/// must come, no sleeps. Start it twice with the same arguments for two instances of the service.
/// </summary>
/// <example>
/// <code>
/// await using var service = await ServiceHarness&lt;OrdersDb&gt;.StartAsync("orders", await postgres.CreateDatabaseAsync(), kafka.BootstrapServers,
///     messaging => messaging.Produces(Topics.Orders).Endpoint("fulfilment", endpoint => endpoint.Consumes(Topics.Payments).Saga&lt;OrderFulfilment, Order&gt;()));
/// using var topics = new TopicClient(kafka.BootstrapServers);
/// await topics.PublishAsync(Topics.Payments, new PaymentAuthorized(...));
/// await service.BecomesAsync("confirmed", db => db.Orders.Where(order => order.Id == id).Select(order => order.Status).SingleAsync());
/// </code>
/// </example>
/// <typeparam name="TDbContext">The service's database.</typeparam>
public sealed class ServiceHarness<TDbContext> : IAsyncDisposable where TDbContext : MessagingDbContext
{
    private readonly WebApplication _host;
    private readonly HttpClient _operator;
    private readonly CollectedEvents _logged;

    private ServiceHarness(WebApplication host, string serviceName, CollectedEvents logged)
    {
        _host = host;
        _logged = logged;
        _operator = new() { BaseAddress = new($"{host.Urls.First()}/api/ops/{serviceName}/") };
    }

    /// <summary>The instance's own services, those that <c>configure</c> added among them.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>The names of the events that this instance has logged, in their order: for waiting until something was noticed.</summary>
    public IReadOnlyCollection<string> LoggedEvents => _logged.Names;

    /// <summary>Starts an instance; its database is migrated when this returns, and it may still be joining its consumer groups.</summary>
    /// <param name="serviceName">The service's name; tests that share a broker take names and topics of their own.</param>
    /// <param name="database">The connection string of its database (Npgsql).</param>
    /// <param name="kafka">The connection string of the broker; librdkafka settings may shorten timeouts.</param>
    /// <param name="messaging">What the service declares in <see cref="MessagingExtensions.AddMessaging"/>.</param>
    /// <param name="configure">Adds the services that its handlers need.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    public static async Task<ServiceHarness<TDbContext>> StartAsync(string serviceName, string database, string kafka,
        Action<MessagingBuilder> messaging, Action<IServiceCollection>? configure = null, CancellationToken cancellationToken = default)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [$"ConnectionStrings:{serviceName}"] = database,
            ["ConnectionStrings:kafka"] = kafka,
            ["URLS"] = "http://127.0.0.1:0",
        });
        var logged = new CollectedEvents();
        builder.Logging.AddProvider(logged).AddFilter("Microsoft", LogLevel.Warning)
            .AddSimpleConsole(options => options.SingleLine = true).AddFilter<ConsoleLoggerProvider>("Shop", LogLevel.Error);
        configure?.Invoke(builder.Services);
        builder.AddMessaging<TDbContext>(serviceName, messaging);
        // the tests are its operator
        builder.Services.AddAuthorizationBuilder().AddPolicy(Policies.Operator, policy => policy.RequireAssertion(_ => true));
        var host = builder.Build();
        host.MapMessaging(serviceName);
        await host.StartAsync(cancellationToken);
        return new(host, serviceName, logged);
    }

    /// <summary>Publishes events as the service itself does: through its outbox, in one transaction.</summary>
    public Task PublishAsync(params object[] events) => ChangeAsync(db =>
    {
        foreach (var @event in events)
            db.Publish(@event);
        return Task.CompletedTask;
    });

    /// <summary>Changes the database and publishes as one of the service's own endpoints does; everything is saved at the end.</summary>
    public async Task ChangeAsync(Func<TDbContext, Task> change)
    {
        await using var scope = Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await change(db);
        await db.SaveChangesAsync();
    }

    /// <summary>Reads from the service's database.</summary>
    public async Task<T> QueryAsync<T>(Func<TDbContext, Task<T>> query)
    {
        await using var scope = Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<TDbContext>());
    }

    /// <summary>The number of rows in a table, for example <c>outbox</c>, <c>parked_records</c> or <c>timeouts</c>.</summary>
    public Task<long> CountAsync(string table)
    {
        var sql = $"SELECT count(*) AS \"Value\" FROM {table}";
        return QueryAsync(db => db.Database.SqlQueryRaw<long>(sql).SingleAsync());
    }

    /// <summary>Returns as soon as the database gives <paramref name="expected"/>.</summary>
    /// <exception cref="TimeoutException">It did not before the deadline (5 min unless given); the message has the last value.</exception>
    public Task BecomesAsync<T>(T expected, Func<TDbContext, Task<T>> query, TimeSpan? deadline = null) =>
        Eventually.BecomesAsync(expected, () => QueryAsync(query), deadline);

    /// <summary>Returns as soon as this instance has logged an event of that name, for example <c>PartitionsAssigned</c>.</summary>
    /// <exception cref="TimeoutException">It did not before the deadline (5 min unless given).</exception>
    public Task HasLoggedAsync(string eventName, TimeSpan? deadline = null) =>
        Eventually.BecomesTrueAsync(() => Task.FromResult(_logged.Names.Contains(eventName)), deadline, $"{eventName} is logged");

    /// <summary>The service's dead letters, as an operator sees them, newest first.</summary>
    public async Task<IReadOnlyList<DeadLetterView>> DeadLettersAsync() => (await _operator.GetFromJsonAsync<Page<DeadLetterView>>("dead-letters?limit=200"))!.Items;

    /// <summary>Plays a dead letter again, as an operator does.</summary>
    /// <returns>204, or 409 where it failed again or was ended before, or 404.</returns>
    public Task<HttpStatusCode> RedriveAsync(Guid deadLetter) => PostAsync($"dead-letters/{deadLetter}/redrive");

    /// <summary>Gives a dead letter up and plays those behind it, as an operator does.</summary>
    /// <returns>204, or 409 where one behind it failed or it was ended before, or 404.</returns>
    public Task<HttpStatusCode> DiscardAsync(Guid deadLetter) => PostAsync($"dead-letters/{deadLetter}/discard");

    /// <summary>Begins to play many dead letters again, as an operator does.</summary>
    /// <param name="selection">Which.</param>
    /// <param name="path">The address, as it is written.</param>
    /// <returns>The redrive, and where its progress is.</returns>
    public async Task<(RedriveView Redrive, Uri Location)> BeginRedriveAsync(RedriveSelection selection, string path = "dead-letters/redrive")
    {
        using var response = await _operator.PostAsJsonAsync(path, selection);
        response.EnsureSuccessStatusCode();
        return ((await response.Content.ReadFromJsonAsync<RedriveView>())!, response.Headers.Location!);
    }

    /// <summary>How far a redrive of many is, once it has ended.</summary>
    /// <exception cref="TimeoutException">It did not within 5 min.</exception>
    public async Task<RedriveView> RedriveEndsAsync(Uri location)
    {
        RedriveView redrive = null!;
        await Eventually.BecomesAsync("completed", async () => (redrive = (await _operator.GetFromJsonAsync<RedriveView>(location))!).Status);
        return redrive;
    }

    /// <summary>The events that the broker refused, as an operator sees them, oldest first.</summary>
    public async Task<IReadOnlyList<RefusedEventView>> RefusedEventsAsync() => (await _operator.GetFromJsonAsync<Page<RefusedEventView>>("refused-events?limit=200"))!.Items;

    /// <summary>Has a refused event, and those behind it, published after all, as an operator does.</summary>
    /// <returns>202, or 404.</returns>
    public Task<HttpStatusCode> RetryRefusedAsync(long refusedEvent) => PostAsync($"refused-events/{refusedEvent}/retry");

    /// <summary>Gives a refused event up and lets those behind it go on, as an operator does.</summary>
    /// <returns>202, or 404.</returns>
    public Task<HttpStatusCode> DiscardRefusedAsync(long refusedEvent) => PostAsync($"refused-events/{refusedEvent}/discard");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _operator.Dispose();
        await _host.StopAsync();
        await _host.DisposeAsync();
    }

    private async Task<HttpStatusCode> PostAsync(string path)
    {
        using var response = await _operator.PostAsync(path, null);
        return response.StatusCode;
    }

    private sealed class CollectedEvents : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Names { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name is { } name)
                Names.Enqueue(name);
        }

        public void Dispose()
        {
        }
    }
}
