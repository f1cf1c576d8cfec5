using Microsoft.EntityFrameworkCore.Storage;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.MassTransitSeam;

namespace Shop.Messaging.Consuming;

/// <summary>
/// Handles a batch of records in one scope, one DbContext and one transaction, with the offsets: all of it takes effect, or nothing.
/// A record that fails is found by handling the batch one by one; it becomes a dead letter and its key is parked.
/// </summary>
internal sealed partial class BatchProcessor(EndpointOptions endpoint, EventTypes eventTypes, IServiceProvider services, NpgsqlDataSource dataSource,
    TimeProvider time, ILogger<BatchProcessor> logger)
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(5);

    private readonly RecordDispatcher? _dispatcher = endpoint.BatchHandler is null ? new(services, endpoint) : null;
    private readonly Func<MessagingDbContext, Guid[], CancellationToken, Task>? _prefetchSagas = endpoint.SagaType is { } saga ? PrefetchOf(saga) : null;

    /// <summary>Returns when every record of the batch has had its effect, is a dead letter or parked, or belongs to somebody else by now.</summary>
    public async Task ProcessAsync(IReadOnlyList<QueuedRecord> batch, LaneControl control, CancellationToken cancellationToken)
    {
        await RetryAsync(() => LoadOffsetsAsync(batch, control, cancellationToken), cancellationToken);
        var records = batch.Where(queued => !queued.Assignment.Ended && queued.Record.Offset >= queued.Assignment.NextOffset).ToList();
        if (records.Count == 0)
            return;
        try
        {
            try
            {
                await RetryAsync(() => HandleAsync(records, null, cancellationToken), cancellationToken);
            }
            catch (Exception e) when (records.Count > 1 && e is not OperationCanceledException and not FencedException)
            {
                BatchIsolated(logger, endpoint.Name, records.Count, e.GetBaseException().Message);
                foreach (var record in records)
                    await HandleOneAsync([record], cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException and not FencedException)
            {
                await DeadLetterAsync(records, e, cancellationToken);
            }
        }
        catch (FencedException)
        {
            await RetryAsync(() => SeekToOffsetRowsAsync(records, control, cancellationToken), cancellationToken);
        }
    }

    private async Task HandleOneAsync(List<QueuedRecord> record, CancellationToken cancellationToken)
    {
        try
        {
            await RetryAsync(() => HandleAsync(record, null, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException and not FencedException)
        {
            await DeadLetterAsync(record, e, cancellationToken);
        }
    }

    private async Task DeadLetterAsync(List<QueuedRecord> record, Exception cause, CancellationToken cancellationToken)
    {
        var position = record[0].Record;
        RecordDeadLettered(logger, cause, endpoint.Name, position.Topic, position.Partition, position.Offset, position.Key);
        await RetryAsync(() => HandleAsync(record, cause, cancellationToken), cancellationToken);
    }

    /// <summary>One transaction: offsets, inbox, handlers (or, with <paramref name="failure"/>, the dead letter), changes, outbox.</summary>
    private async Task HandleAsync(List<QueuedRecord> records, Exception? failure, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var store = new BatchStore((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), endpoint.Name);

        if (failure is null)
        {
            var claimed = await store.ClaimAsync(records, Handled(records), time.GetUtcNow(), cancellationToken);
            await DispatchAsync(claimed, scope, db, cancellationToken);
        }
        else
        {
            await store.DeadLetterAsync(records[0], failure, time.GetUtcNow(), cancellationToken);
        }
        db.ChangeTracker.DetectChanges();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var (record, assignment) in records)
            assignment.NextOffset = record.Offset + 1;
    }

    /// <summary>The records that somebody here handles; the others are only passed over.</summary>
    private List<ConsumedRecord> Handled(List<QueuedRecord> records) =>
        [.. records.Select(queued => queued.Record).Where(record => endpoint.BatchHandler is not null || TypeOf(record) is not null)];

    private EventType? TypeOf(ConsumedRecord record) =>
        record.Body is not null && eventTypes.Consumed(record.Event.Type) is { } type && endpoint.HandledTypes.Contains(type.ClrType) ? type : null;

    private async Task DispatchAsync(List<ConsumedRecord> records, IServiceScope scope, MessagingDbContext db, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
            return;
        if (endpoint.BatchHandler is { } batchHandler)
        {
            await batchHandler(scope.ServiceProvider).HandleAsync(records, cancellationToken);
            return;
        }
        var messages = records.ConvertAll(record => JsonSerializer.Deserialize(record.Body, TypeOf(record)!.Json)
            ?? throw new JsonException("The event's data is null"));
        if (_prefetchSagas is not null)
            await _prefetchSagas(db, [.. SagaIds(records)], cancellationToken);
        if (endpoint.Prefetch is { } prefetch)
            await prefetch(scope.ServiceProvider).PrefetchAsync(messages, cancellationToken);
        for (var i = 0; i < records.Count; i++)
        {
            using var activity = MessagingTelemetry.StartProcess(records[i], endpoint.Name);
            db.Outbox.Cause = records[i].Event;
            await _dispatcher!.DispatchAsync(records[i], messages[i], scope, db.Outbox);
        }
    }

    private static HashSet<Guid> SagaIds(List<ConsumedRecord> records)
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

    /// <summary>Reads the offset rows of partitions that are new to this consumer, and reads on from there where Kafka began elsewhere.</summary>
    private async Task LoadOffsetsAsync(IReadOnlyList<QueuedRecord> batch, LaneControl control, CancellationToken cancellationToken)
    {
        foreach (var group in batch.Where(queued => queued.Assignment is { Ended: false, NextOffset: null }).GroupBy(queued => queued.Assignment))
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            var first = group.First().Record.Offset;
            var next = await BatchStore.LoadOffsetAsync(connection, endpoint.Name, group.Key.Partition, first, cancellationToken);
            group.Key.NextOffset = next;
            if (next < first)
                control.Seek(group.Key, next);
        }
    }

    /// <summary>Somebody else moved an offset: this consumer was a zombie, or another was. The offset rows say where to read on.</summary>
    private async Task SeekToOffsetRowsAsync(List<QueuedRecord> records, LaneControl control, CancellationToken cancellationToken)
    {
        foreach (var assignment in records.Select(queued => queued.Assignment).Where(assignment => !assignment.Ended).Distinct())
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            var next = await BatchStore.LoadOffsetAsync(connection, endpoint.Name, assignment.Partition, assignment.NextOffset ?? 0, cancellationToken);
            BatchFenced(logger, endpoint.Name, assignment.Partition.Topic, assignment.Partition.Partition.Value, assignment.NextOffset ?? 0, next);
            control.Seek(assignment, next);
        }
    }

    /// <summary>Repeats <paramref name="work"/> for as long as what stops it will pass by itself.</summary>
    private async Task RetryAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (TransientErrors.IsTransient(e, attempt))
            {
                var delay = Math.Min(LongestRetryDelay.TotalMilliseconds, FirstRetryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 10)));
                BatchRetried(logger, endpoint.Name, attempt, e.GetBaseException().Message);
                await Task.Delay(TimeSpan.FromMilliseconds(delay * (0.5 + Random.Shared.NextDouble())), cancellationToken);
            }
        }
    }

    [LoggerMessage(EventName = "BatchRetried", Level = LogLevel.Warning, Message = "{Endpoint} retries a batch after attempt {Attempt}: {Reason}")]
    private static partial void BatchRetried(ILogger logger, string endpoint, int attempt, string reason);

    [LoggerMessage(EventName = "BatchIsolated", Level = LogLevel.Warning, Message = "{Endpoint} handles a batch of {Count} one by one: {Reason}")]
    private static partial void BatchIsolated(ILogger logger, string endpoint, int count, string reason);

    [LoggerMessage(EventName = "RecordDeadLettered", Level = LogLevel.Error, Message = "{Endpoint} could not handle {Topic}[{Partition}]@{Offset}; its key {Key} is parked")]
    private static partial void RecordDeadLettered(ILogger logger, Exception exception, string endpoint, string topic, int partition, long offset, string key);

    [LoggerMessage(EventName = "BatchFenced", Level = LogLevel.Warning, Message = "{Endpoint} expected {Topic}[{Partition}] at offset {Expected}, but it is at {Actual}: another instance moved it")]
    private static partial void BatchFenced(ILogger logger, string endpoint, string topic, int partition, long expected, long actual);
}
