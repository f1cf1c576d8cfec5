using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Consuming;

/// <summary>
/// Handles a batch of records in one scope, one DbContext and one transaction, with the offsets: all of it takes effect, or nothing.
/// A record that fails is found by handling the batch in halves; it becomes a dead letter and its key is parked.
/// </summary>
internal sealed partial class BatchProcessor(EndpointOptions endpoint, EndpointPipelines pipelines, IServiceScopeFactory scopes, NpgsqlDataSource dataSource,
    StaleSessions staleSessions, IOptions<MessagingRetention> retention, TimeProvider time, ILogger<BatchProcessor> logger)
{
    /// <summary>After how many attempts that took too long a batch is one that takes too long.</summary>
    private const int LongAttempts = 3;

    private static readonly Backoff Pauses = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5));

    private readonly EndpointPipeline _pipeline = pipelines.Find(endpoint.Name)!;

    /// <summary>Returns when every record of the batch has had its effect, is a dead letter or parked, or belongs to somebody else by now.</summary>
    public async Task ProcessAsync(IReadOnlyList<QueuedRecord> batch, IPartitionFeed feed, CancellationToken cancellationToken)
    {
        await RetryAsync(() => LoadOffsetsAsync(batch, feed, cancellationToken), cancellationToken);
        await RetryAsync(() => VerifyLogsAsync(batch, feed, cancellationToken), cancellationToken);
        var records = batch.Where(queued => !queued.Assignment.Ended && queued.Record.Offset >= queued.Assignment.Position!.Next).ToList();
        if (records.Count == 0)
            return;
        try
        {
            await HandleAllAsync(records, cancellationToken);
        }
        catch (FencedException)
        {
            foreach (var assignment in records.Select(queued => queued.Assignment).Distinct())
                BatchFenced(logger, endpoint.Name, assignment.Partition.Topic, assignment.Partition.Partition.Value, assignment.Position!.Next);
            await RetryAsync(() => SeekToOffsetRowsAsync(records, feed, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Where a batch fails, each half is handled by itself, down to the records at fault: all others have their effect in few transactions.</summary>
    private async Task HandleAllAsync(List<QueuedRecord> records, CancellationToken cancellationToken, bool isPart = false)
    {
        try
        {
            await RetryAsync(() => HandleAsync(records, null, cancellationToken), cancellationToken, records.Count > 1, isPart);
            return;
        }
        catch (Exception e) when (e is not FencedException && !cancellationToken.IsCancellationRequested)
        {
            if (records.Count == 1)
            {
                await DeadLetterAsync(records, e, cancellationToken);
                return;
            }
            if (!isPart)
                BatchHalved(logger, endpoint.Name, records.Count, e.GetBaseException().Message);
        }
        var half = records.Count / 2;
        await HandleAllAsync(records[..half], cancellationToken, isPart: true);
        await HandleAllAsync(records[half..], cancellationToken, isPart: true);
    }

    private async Task DeadLetterAsync(List<QueuedRecord> record, Exception cause, CancellationToken cancellationToken)
    {
        var position = record[0].Record;
        // the batch's transaction is over: what the log says of the record belongs to the trace in which it was sent
        using var activity = MessagingTelemetry.StartIn(position.TraceParent);
        RecordDeadLettered(logger, cause, endpoint.Name, position.Topic, position.Partition, position.Offset, position.Key);
        await RetryAsync(() => HandleAsync(record, cause, cancellationToken), cancellationToken);
    }

    /// <summary>One transaction: offsets, inbox, handlers (or, with <paramref name="failure"/>, the dead letter), changes, outbox.</summary>
    private async Task HandleAsync(List<QueuedRecord> records, Exception? failure, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var activity = MessagingTelemetry.StartProcessBatch(records.Select(queued => queued.Record), endpoint)?.SetStatus(ActivityStatusCode.Error, "rolled back");
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var store = new BatchStore((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction(), endpoint.Name, endpoint.Remembers);

        if (failure is null)
        {
            var claimed = await store.ClaimAsync(records, [.. records.Select(queued => queued.Record).Where(_pipeline.Handles)], time.GetUtcNow(), cancellationToken);
            await _pipeline.DispatchAsync(claimed, scope, db, cancellationToken);
        }
        else
        {
            await store.DeadLetterAsync(records[0], failure, time.GetUtcNow(), cancellationToken);
        }
        await _pipeline.SaveAsync(db, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        activity?.SetStatus(ActivityStatusCode.Unset);
        MessagingTelemetry.Committed(endpoint.Name, records.Count, started);
        foreach (var group in records.GroupBy(queued => queued.Assignment))
        {
            var last = group.MaxBy(queued => queued.Record.Offset).Record;
            group.Key.Position = new(last.Offset + 1, last.Fingerprint());
        }
    }

    /// <summary>
    /// Reads the offset rows of partitions that are new to this consumer. Where there is none the database has had nothing of the partition,
    /// whatever Kafka was told by another one: everything that is there comes.
    /// </summary>
    private async Task LoadOffsetsAsync(IReadOnlyList<QueuedRecord> batch, IPartitionFeed feed, CancellationToken cancellationToken)
    {
        foreach (var group in batch.Where(queued => queued.Assignment is { Ended: false, Position: null }).GroupBy(queued => queued.Assignment))
        {
            var (assignment, partition) = (group.Key, group.Key.Partition);
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            if (await BatchStore.FindPositionAsync(connection, endpoint.Name, partition, cancellationToken) is { } known)
            {
                assignment.Position = known;
                continue;
            }
            var first = feed.Bounds(partition).First;
            assignment.Position = await BatchStore.LoadPositionAsync(connection, endpoint.Name, partition, first, cancellationToken);
            if (group.First().Record.Offset > assignment.Position.Start)
                feed.Seek(assignment, assignment.Position.Start);
        }
    }

    /// <summary>
    /// Offsets only ever grow within one log. Before the first record of an assignment, and whenever they step back, the log has to be the
    /// one that the position is about; and after a lull, in which it could have been made anew, its topic the one it was. Another one is read from the first record that the inbox would still remember: nothing
    /// new is passed over, and nothing has an effect again.
    /// </summary>
    private async Task VerifyLogsAsync(IReadOnlyList<QueuedRecord> batch, IPartitionFeed feed, CancellationToken cancellationToken)
    {
        foreach (var group in batch.Where(queued => !queued.Assignment.Ended).GroupBy(queued => queued.Assignment))
        {
            var assignment = group.Key;
            var next = assignment.Position!.Next;
            if (assignment.IsAnotherTopic(await assignment.TopicId))
            {
                await ReadAgainAsync(assignment, LogIdentity.Another, feed, cancellationToken);
                continue;
            }
            foreach (var record in group.Select(queued => queued.Record))
            {
                if (!assignment.IsVerified || record.Offset < next)
                {
                    var identity = LogIdentities.Of(assignment, record, feed);
                    assignment.IsVerified = identity == LogIdentity.Same;
                    if (identity == LogIdentity.Unknown)
                        feed.Seek(assignment, assignment.Position.Start);
                    else if (!assignment.IsVerified)
                        await ReadAgainAsync(assignment, identity, feed, cancellationToken);
                    if (!assignment.IsVerified)
                        break;
                }
                next = Math.Max(next, record.Offset + 1);
            }
        }
    }

    private async Task ReadAgainAsync(PartitionAssignment assignment, LogIdentity identity, IPartitionFeed feed, CancellationToken cancellationToken)
    {
        var (partition, expected) = (assignment.Partition, assignment.Position!.Next);
        var first = feed.FirstSince(partition, time.GetUtcNow() - retention.Value.Inbox);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await BatchStore.MoveOffsetAsync(connection, endpoint.Name, partition, expected, first, cancellationToken);
        var position = await BatchStore.LoadPositionAsync(connection, endpoint.Name, partition, first, cancellationToken);
        if (identity == LogIdentity.Doubtful)
            LogDoubted(logger, endpoint.Name, partition.Topic, partition.Partition.Value, expected - 1, position.Next);
        else
            LogDiverged(logger, endpoint.Name, partition.Topic, partition.Partition.Value, expected, position.Next);
        feed.Seek(assignment, position.Start);
    }

    /// <summary>Somebody else moved an offset: this consumer was a zombie, or another was. The offset rows say where to read on.</summary>
    private async Task SeekToOffsetRowsAsync(List<QueuedRecord> records, IPartitionFeed feed, CancellationToken cancellationToken)
    {
        foreach (var assignment in records.Select(queued => queued.Assignment).Where(assignment => !assignment.Ended).Distinct())
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            var position = await BatchStore.LoadPositionAsync(connection, endpoint.Name, assignment.Partition, assignment.Position!.Next, cancellationToken);
            feed.Seek(assignment, position.Start);
        }
    }

    /// <summary>
    /// Repeats <paramref name="work"/> for as long as what stops it will pass by itself. What can be done in halves is not repeated for ever when
    /// it takes too long; and in a part of what was repeated already a conflict is nobody's of the moment.
    /// </summary>
    private async Task RetryAsync(Func<Task> work, CancellationToken cancellationToken, bool canBeHalved = false, bool isPart = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (!(e is OperationCanceledException && cancellationToken.IsCancellationRequested)
                && TransientErrors.IsTransient(e, canBeHalved && isPart ? int.MaxValue : attempt) && !(canBeHalved && attempt >= LongAttempts && TransientErrors.IsTimeout(e)))
            {
                BatchRetried(logger, endpoint.Name, attempt, e.GetBaseException().Message);
                MessagingTelemetry.Retried(endpoint.Name, e.GetBaseException());
                staleSessions.ClearAfter(e);
                await Task.Delay(Pauses.After(attempt), cancellationToken);
            }
        }
    }

    [LoggerMessage(EventName = "BatchRetried", Level = LogLevel.Warning, Message = "{Endpoint} retries a batch after attempt {Attempt}: {Reason}")]
    private static partial void BatchRetried(ILogger logger, string endpoint, int attempt, string reason);

    [LoggerMessage(EventName = "BatchHalved", Level = LogLevel.Warning, Message = "{Endpoint} handles a batch of {Count} in halves: {Reason}")]
    private static partial void BatchHalved(ILogger logger, string endpoint, int count, string reason);

    [LoggerMessage(EventName = "RecordDeadLettered", Level = LogLevel.Error, Message = "{Endpoint} could not handle {Topic}[{Partition}]@{Offset}; its key {Key} is parked")]
    private static partial void RecordDeadLettered(ILogger logger, Exception exception, string endpoint, string topic, int partition, long offset, string key);

    [LoggerMessage(EventName = "BatchFenced", Level = LogLevel.Warning, Message = "{Endpoint} expected {Topic}[{Partition}] at offset {Expected}, but another instance moved it: the batch has no effect here")]
    private static partial void BatchFenced(ILogger logger, string endpoint, string topic, int partition, long expected);

    [LoggerMessage(EventName = "LogDiverged", Level = LogLevel.Error, Message = "{Topic}[{Partition}] is not the log that {Endpoint} has read up to {Expected}: it was made anew or lost its end, and is read from {Next}")]
    private static partial void LogDiverged(ILogger logger, string endpoint, string topic, int partition, long expected, long next);

    [LoggerMessage(EventName = "LogDoubted", Level = LogLevel.Warning, Message = "{Topic}[{Partition}] has no record {Last} any more, which {Endpoint} handled last: it is read again from {Next}, in case that it is another log")]
    private static partial void LogDoubted(ILogger logger, string endpoint, string topic, int partition, long last, long next);
}
