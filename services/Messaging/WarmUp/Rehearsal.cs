using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Messaging.WarmUp;

/// <summary>Made-up requests and events, handled by what handles real ones, in one transaction that is rolled back.</summary>
public sealed class Rehearsal
{
    /// <summary>A partition that no topic has: its offset row is nobody's, and nobody waits for it.</summary>
    private const int NoPartition = -1;

    private readonly IServiceScope _scope;
    private readonly MessagingDbContext _db;
    private readonly IDbContextTransaction _transaction;
    private readonly MessagingOptions _options;
    private readonly EndpointPipelines _pipelines;
    private readonly RehearsedRequests _requests;
    private readonly TimeProvider _time;
    private readonly Dictionary<(string Endpoint, string Topic), PartitionAssignment> _assignments = [];

    private Rehearsal(IServiceScope scope, MessagingDbContext db, IDbContextTransaction transaction)
    {
        _scope = scope;
        _db = db;
        _transaction = transaction;
        _options = scope.ServiceProvider.GetRequiredService<MessagingOptions>();
        _pipelines = scope.ServiceProvider.GetRequiredService<EndpointPipelines>();
        _requests = new(scope.ServiceProvider);
        _time = scope.ServiceProvider.GetRequiredService<TimeProvider>();
    }

    /// <summary>Runs the service's warm-up; nothing that they write is kept, and no trace of it is shown.</summary>
    internal static async Task RunAsync(IServiceScope scope, CancellationToken cancellationToken)
    {
        // its children are left out with it: a trace that was not asked for is not begun in the middle
        using var unrecorded = new Activity("warm-up") { ActivityTraceFlags = ActivityTraceFlags.None }.Start();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var rehearsal = new Rehearsal(scope, db, transaction);
        await scope.ServiceProvider.GetRequiredService<IWarmUp>().RunAsync(rehearsal, cancellationToken);
        await transaction.RollbackAsync(CancellationToken.None);
    }

    /// <summary>Hands a request to the route's handler, as a signed-in shopper's, and returns what it answered.</summary>
    /// <param name="method">For example <c>POST</c>.</param>
    /// <param name="pattern">The route as it was mapped, for example <c>/api/orders/{id}</c>.</param>
    /// <param name="routeValues">The values of the pattern's parameters, by their names.</param>
    /// <param name="body">JSON, where the route reads some.</param>
    /// <param name="headers">The request's headers.</param>
    /// <param name="cancellationToken">Aborts the request.</param>
    /// <exception cref="InvalidOperationException">There is no such route, or the answer is no success.</exception>
    public async Task<byte[]> RequestAsync(string method, string pattern, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? routeValues = null, string? body = null, IHeaderDictionary? headers = null)
    {
        _db.ChangeTracker.Clear();
        return await _requests.SendAsync(method, pattern, routeValues, body, headers, cancellationToken);
    }

    /// <summary>Hands events to an endpoint as one batch each, as if its consumer had read them.</summary>
    /// <param name="endpoint">The endpoint's name, without the service's.</param>
    /// <param name="events">The events, in their order.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    /// <exception cref="InvalidOperationException">The service has no such endpoint, or it reads none of an event's topics.</exception>
    public async Task HandleAsync(string endpoint, IReadOnlyList<object> events, CancellationToken cancellationToken)
    {
        var options = _options.Endpoints.Find(e => e.Name == $"{_options.ServiceName}.{endpoint}")
            ?? throw new InvalidOperationException($"{_options.ServiceName} has no endpoint {endpoint}");
        var pipeline = _pipelines.Find(options.Name)!;
        var store = new BatchStore((NpgsqlConnection)_db.Database.GetDbConnection(), (NpgsqlTransaction)_transaction.GetDbTransaction(), options.Name);
        var detecting = _db.ChangeTracker.AutoDetectChangesEnabled;
        _db.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var @event in events)
        {
            _db.ChangeTracker.Clear();
            var queued = await QueueAsync(options, @event, cancellationToken);
            var claimed = await store.ClaimAsync([queued], pipeline.Handles(queued.Record) ? [queued.Record] : [], _time.GetUtcNow(), cancellationToken);
            await pipeline.DispatchAsync(claimed, _scope, _db, cancellationToken);
            await pipeline.SaveAsync(_db, cancellationToken);
            queued.Assignment.Position = new(queued.Record.Offset + 1, queued.Record.Fingerprint());
        }
        _db.Outbox.Cause = null;
        _db.ChangeTracker.AutoDetectChangesEnabled = detecting;
    }

    private async Task<QueuedRecord> QueueAsync(EndpointOptions endpoint, object @event, CancellationToken cancellationToken)
    {
        var type = endpoint.Topics.Select(topic => topic.TryGetEvent(@event.GetType(), out var known) ? known : null).FirstOrDefault(known => known is not null)
            ?? throw new InvalidOperationException($"{endpoint.Name} does not read the topic of {@event.GetType().Name}");
        if (!_assignments.TryGetValue((endpoint.Name, type.Topic.Name), out var assignment))
        {
            var partition = new TopicPartition(type.Topic.Name, NoPartition);
            var position = await BatchStore.LoadPositionAsync((NpgsqlConnection)_db.Database.GetDbConnection(), endpoint.Name, partition, 0, cancellationToken);
            _assignments[(endpoint.Name, type.Topic.Name)] = assignment = new(partition) { Position = position };
        }
        var (key, now) = (type.KeyOf(@event), _time.GetUtcNow());
        var attributes = new CloudEvent(Guid.CreateVersion7(now), type.Name, _options.EventSource, now, key, TraceParent: Activity.Current?.Id);
        return new(new(type.Topic.Name, NoPartition, assignment.Position!.Next, key, now, attributes.ToHeaders(), JsonSerializer.SerializeToUtf8Bytes(@event, type.Json)), assignment);
    }
}
