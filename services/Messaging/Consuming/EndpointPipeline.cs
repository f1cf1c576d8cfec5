using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Messaging.MassTransit;
using Shop.Messaging.Operations;
using Shop.Messaging.Sagas;

namespace Shop.Messaging.Consuming;

/// <summary>What handles an endpoint's records: MassTransit's consumers and sagas, or a batch handler.</summary>
internal sealed class EndpointPipeline(EndpointOptions endpoint, EventTypes eventTypes, IServiceProvider services)
{
    private readonly RecordDispatcher? _dispatcher = endpoint.BatchHandler is null ? new(services, endpoint) : null;
    private readonly Func<MessagingDbContext, Guid[], CancellationToken, Task>? _prefetchSagas = endpoint.SagaType is { } saga ? PrefetchOf(saga) : null;

    /// <summary>The endpoint.</summary>
    public EndpointOptions Endpoint => endpoint;

    /// <summary>Whether somebody here handles <paramref name="record"/>; other records are only passed over.</summary>
    /// <exception cref="FormatException">The record's attributes cannot be read.</exception>
    /// <exception cref="UnreadableRecordsException">It stands for some that cannot be read at all.</exception>
    public bool Handles(ConsumedRecord record) =>
        record.Unreadable is { } unreadable ? throw unreadable : endpoint.BatchHandler is not null || TypeOf(record) is not null;

    /// <summary>Handles the records in their order, in <paramref name="scope"/>; the caller saves what they changed.</summary>
    public async Task DispatchAsync(IReadOnlyList<ConsumedRecord> records, IServiceScope scope, MessagingDbContext db, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
            return;
        if (endpoint.BatchHandler is { } batchHandler)
        {
            await batchHandler(scope.ServiceProvider).HandleAsync(records, cancellationToken);
            return;
        }
        var messages = new object[records.Count];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = JsonSerializer.Deserialize(records[i].Body, TypeOf(records[i])!.Json) ?? throw new JsonException("The event's data is null");
        if (_prefetchSagas is not null)
            await _prefetchSagas(db, [.. SagaIds(records)], cancellationToken);
        if (endpoint.Prefetch is { } prefetch)
            await prefetch(scope.ServiceProvider).PrefetchAsync(messages, cancellationToken);
        for (var i = 0; i < messages.Length; i++)
        {
            using var activity = MessagingTelemetry.StartProcess(records[i], endpoint.Name);
            var started = MessagingTelemetry.MeasuresProcessing ? Stopwatch.GetTimestamp() : 0;
            db.Outbox.Cause = records[i].Event;
            await _dispatcher!.DispatchAsync(records[i], messages[i], scope, db.Outbox);
            if (started != 0)
                MessagingTelemetry.Processed(records[i], endpoint.Name, started);
        }
    }

    /// <summary>Saves what the handlers changed and published, in the current transaction.</summary>
    public async Task SaveAsync(MessagingDbContext db, CancellationToken cancellationToken)
    {
        db.ChangeTracker.DetectChanges();
        await db.SaveChangesAsync(cancellationToken);
    }

    private EventType? TypeOf(ConsumedRecord record) =>
        record.Body is not null && eventTypes.Consumed(record.Event.Type) is { } type && endpoint.HandledTypes.Contains(type.ClrType) ? type : null;

    private static HashSet<Guid> SagaIds(IReadOnlyList<ConsumedRecord> records)
    {
        var ids = new HashSet<Guid>(records.Count);
        foreach (var record in records)
        {
            if (Guid.TryParse(record.Key, out var id))
                ids.Add(id);
        }
        return ids;
    }

    private static Func<MessagingDbContext, Guid[], CancellationToken, Task> PrefetchOf(Type saga) =>
        typeof(SagaPrefetch).GetMethod(nameof(SagaPrefetch.LoadAsync))!.MakeGenericMethod(saga)
            .CreateDelegate<Func<MessagingDbContext, Guid[], CancellationToken, Task>>();
}
