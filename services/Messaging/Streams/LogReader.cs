using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Streams;

/// <summary>
/// Reads records from given positions on, in no consumer group: in the order of each partition, all partitions mixed. A batch that no client can
/// read is passed over, and said in the log.
/// </summary>
public sealed partial class LogReader : IDisposable
{
    private const int MaxBatch = 2_000, BatchesAhead = 4;
    private const long MaxBatchBytes = 4 << 20;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMilliseconds(50);

    /// <summary>A partition of which nothing has come for so long, though there is more of it, may stand before what cannot be read.</summary>
    private static readonly TimeSpan Lull = TimeSpan.FromSeconds(5);

    private readonly Func<IConsumer<byte[]?, byte[]?>> _connect;
    private readonly Lazy<IConsumer<byte[]?, byte[]?>> _asking;
    private readonly KafkaLog _log;
    private readonly ReadabilityProbe _readability;
    private readonly ILogger<LogReader> _logger;

    /// <summary>When it was found out last that one more offset cannot be read; 0 where none was.</summary>
    private long _passedAt;

    /// <summary>Where partitions ended, as far as the reading at hand has handed out its batches.</summary>
    private IReadOnlyDictionary<(string Topic, int Partition), long> _ends = new Dictionary<(string, int), long>();

    internal LogReader(Func<IConsumer<byte[]?, byte[]?>> connect, KafkaLog log, ReadabilityProbe readability, ILogger<LogReader> logger) =>
        (_connect, _asking, _log, _readability, _logger) = (connect, new(connect), log, readability, logger);

    /// <summary>The partitions of topics, as they are now; a topic that does not exist has none.</summary>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    public IReadOnlyList<LogPartition> PartitionsOf(IReadOnlyCollection<Topic> topics)
    {
        using var admin = new DependentAdminClientBuilder(_asking.Value.Handle).Build();
        var partitions = new List<LogPartition>();
        foreach (var topic in topics)
        {
            foreach (var partition in admin.GetMetadata(topic.Name, RequestTimeout).Topics.Where(found => !found.Error.IsError).SelectMany(found => found.Partitions))
            {
                var offsets = _asking.Value.QueryWatermarkOffsets(new(topic.Name, partition.PartitionId), RequestTimeout);
                partitions.Add(new(topic, partition.PartitionId, offsets.Low.Value, offsets.High.Value));
            }
        }
        return partitions;
    }

    /// <summary>The offset of the first record of each partition that was written at <paramref name="time"/> or later; its end where there is none.</summary>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    public IReadOnlyDictionary<(string Topic, int Partition), long> OffsetsAt(IReadOnlyCollection<LogPartition> partitions, DateTimeOffset time)
    {
        var ends = partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.End);
        return _asking.Value.OffsetsForTimes(partitions.Select(partition => new TopicPartitionTimestamp(partition.Topic.Name, partition.Partition, new Timestamp(time.UtcDateTime))), RequestTimeout)
            .ToDictionary(found => (found.Topic, found.Partition.Value), found => found.Offset.IsSpecial ? ends[(found.Topic, found.Partition.Value)] : found.Offset.Value);
    }

    /// <summary>
    /// Reads these partitions from these offsets on, for ever: batches of what is there, and an empty one where nothing has come for a while. A thread
    /// of its own reads ahead, by a few batches.
    /// </summary>
    /// <exception cref="ConsumeException">The client has failed.</exception>
    public async IAsyncEnumerable<IReadOnlyList<ConsumedRecord>> ReadAsync(
        IEnumerable<(string Topic, int Partition, long Offset)> positions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _ends = new Dictionary<(string, int), long>();
        // a client of its own: what another assignment has left in a client's queue cannot be told from what this one reads, an end least of all
        using var consumer = _connect();
        var cursors = positions.ToDictionary(position => (position.Topic, position.Partition), position => new LogCursor(position.Offset));
        consumer.Assign(cursors.Select(cursor => new TopicPartitionOffset(cursor.Key.Topic, cursor.Key.Partition, cursor.Value.Next)));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var room = new SemaphoreSlim(BatchesAhead);
        var batches = Channel.CreateUnbounded<ReadBatch>(new() { SingleReader = true, SingleWriter = true });
        var reading = Task.Factory.StartNew(() => ReadAhead(consumer, cursors, batches.Writer, room, ended.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var batch in batches.Reader.ReadAllAsync(cancellationToken))
            {
                _ends = batch.Ends;
                yield return batch.Records;
                room.Release();
            }
        }
        finally
        {
            await ended.CancelAsync();
            await reading;
        }
    }

    /// <summary>
    /// Whether nothing is there any more before an offset: where the last records of a compacted topic are gone, none comes that would say so. To be
    /// asked when the batch at hand is handled; where others have steady traffic none is ever empty.
    /// </summary>
    public bool IsPassed((string Topic, int Partition) partition, long offset) => _ends.TryGetValue(partition, out var end) && end >= offset;

    /// <summary>Whether it was just found out that more of a partition cannot be read: what is behind that comes when it is known how far it goes, which takes long.</summary>
    public bool IsPassingOver => Volatile.Read(ref _passedAt) is not 0 and var at && Stopwatch.GetElapsedTime(at) < Lull;

    private void ReadAhead(IConsumer<byte[]?, byte[]?> consumer, Dictionary<(string Topic, int Partition), LogCursor> cursors, ChannelWriter<ReadBatch> batches, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        // of this reading alone: what another one has seen says nothing about what this one has read
        var ends = new Dictionary<(string Topic, int Partition), long>();
        var inspectedAt = Stopwatch.GetTimestamp();
        Task<Readable>? probing = null;
        try
        {
            while (true)
            {
                room.Wait(cancellationToken);
                var records = ReadRecords(consumer, cursors, ends, cancellationToken);
                if (probing is { IsCompleted: true })
                {
                    PassOver(consumer, cursors, probing);
                    probing = null;
                }
                if (probing is null && (Stopwatch.GetElapsedTime(inspectedAt) > Lull || cursors.Values.Any(cursor => cursor.IsToProbe)))
                {
                    inspectedAt = Stopwatch.GetTimestamp();
                    probing = Probe(consumer, cursors, cancellationToken);
                }
                // what came before these ends is in this batch or was handed out
                batches.TryWrite(new(records, new Dictionary<(string, int), long>(ends)));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            batches.Complete();
        }
        catch (Exception e)
        {
            batches.Complete(e);
        }
        finally
        {
            probing?.ContinueWith(static _ => { }, TaskScheduler.Default).Wait(CancellationToken.None);
        }
    }

    private List<ConsumedRecord> ReadRecords(
        IConsumer<byte[]?, byte[]?> consumer, Dictionary<(string Topic, int Partition), LogCursor> cursors, Dictionary<(string Topic, int Partition), long> ends, CancellationToken cancellationToken)
    {
        var batch = new List<ConsumedRecord>(MaxBatch);
        var (timeout, bytes) = (IdleTimeout, 0L);
        while (batch.Count < MaxBatch && bytes < MaxBatchBytes && Next(consumer, timeout, cursors, ends) is { } record)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Add(record);
            (timeout, bytes) = (TimeSpan.Zero, bytes + record.Bytes);
        }
        return batch;
    }

    /// <summary>The next record; null where none came in time.</summary>
    private ConsumedRecord? Next(
        IConsumer<byte[]?, byte[]?> consumer, TimeSpan timeout, Dictionary<(string Topic, int Partition), LogCursor> cursors, Dictionary<(string Topic, int Partition), long> ends)
    {
        try
        {
            while (consumer.Consume(timeout) is { } result)
            {
                var cursor = cursors[(result.Topic, result.Partition.Value)];
                if (!result.IsPartitionEOF && !IsToHandOut(consumer, cursor, result))
                    continue;
                cursor.MoveTo(result.Offset.Value + (result.IsPartitionEOF ? 0 : 1));
                if (!result.IsPartitionEOF)
                    return ConsumedRecord.From(result);
                ends[(result.Topic, result.Partition.Value)] = result.Offset.Value;
            }
            return null;
        }
        catch (ConsumeException e) when (e.Error is { IsFatal: false, IsBrokerError: true }
            || e.Error.Code is ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Transport or ErrorCode.Local_BadMsg or ErrorCode.Local_BadCompression or ErrorCode.Local_NotImplemented)
        {
            _log.Write(e.Error);
            if (e.ConsumerRecord.Topic is not null && cursors.TryGetValue((e.ConsumerRecord.Topic, e.ConsumerRecord.Partition.Value), out var cursor))
                NoteDamage(consumer, cursor, e.ConsumerRecord.TopicPartition, e.Error.Code);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_asking.IsValueCreated)
            _asking.Value.Dispose();
    }

    /// <summary>Records, and where partitions ended before which nothing else comes.</summary>
    private sealed record ReadBatch(IReadOnlyList<ConsumedRecord> Records, IReadOnlyDictionary<(string Topic, int Partition), long> Ends);
}
