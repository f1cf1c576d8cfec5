using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Kafka;

namespace Shop.Messaging.Streams;

/// <summary>A partition of a topic, and what Kafka has of it.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="First">The offset of the oldest record that is still there.</param>
/// <param name="End">The offset after the newest.</param>
public sealed record LogPartition(Topic Topic, int Partition, long First, long End);

/// <summary>Opens readers of whole topics: for what keeps its own positions, such as an archive or a projection that is built again.</summary>
public sealed class LogReaders
{
    private readonly KafkaConnection _kafka;
    private readonly MessagingOptions _options;
    private readonly KafkaLog _log;

    internal LogReaders(KafkaConnection kafka, MessagingOptions options, KafkaLog log) => (_kafka, _options, _log) = (kafka, options, log);

    /// <summary>Opens a reader, which reads nothing until it is told where to begin.</summary>
    public LogReader Open() => new(_log.Attach(new ConsumerBuilder<byte[]?, byte[]?>(_kafka.Reader(_options.ServiceName))).Build(), _log);
}

/// <summary>Reads records from given positions on, in no consumer group: in the order of each partition, all partitions mixed.</summary>
public sealed class LogReader : IDisposable
{
    private const int MaxBatch = 2_000, BatchesAhead = 4;
    private const long MaxBatchBytes = 4 << 20;

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMilliseconds(50);

    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly KafkaLog _log;
    private readonly ConcurrentDictionary<(string Topic, int Partition), long> _ends = new();
    private readonly Dictionary<(string Topic, int Partition), long> _endsAhead = [];

    internal LogReader(IConsumer<byte[]?, byte[]?> consumer, KafkaLog log) => (_consumer, _log) = (consumer, log);

    /// <summary>The partitions of topics, as they are now; a topic that does not exist has none.</summary>
    /// <exception cref="KafkaException">The broker does not answer.</exception>
    public IReadOnlyList<LogPartition> PartitionsOf(IReadOnlyCollection<Topic> topics)
    {
        using var admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
        var partitions = new List<LogPartition>();
        foreach (var topic in topics)
        {
            foreach (var partition in admin.GetMetadata(topic.Name, RequestTimeout).Topics.Where(found => !found.Error.IsError).SelectMany(found => found.Partitions))
            {
                var offsets = _consumer.QueryWatermarkOffsets(new(topic.Name, partition.PartitionId), RequestTimeout);
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
        return _consumer.OffsetsForTimes(partitions.Select(partition => new TopicPartitionTimestamp(partition.Topic.Name, partition.Partition, new Timestamp(time.UtcDateTime))), RequestTimeout)
            .ToDictionary(found => (found.Topic, found.Partition.Value), found => found.Offset.IsSpecial ? ends[(found.Topic, found.Partition.Value)] : found.Offset.Value);
    }

    /// <summary>
    /// Reads these partitions from these offsets on, for ever: batches of what is there, and an empty one where nothing has come for a while. A thread
    /// of its own reads ahead, by a few batches.
    /// </summary>
    /// <exception cref="ConsumeException">What was read is damaged, or the client has failed.</exception>
    public async IAsyncEnumerable<IReadOnlyList<ConsumedRecord>> ReadAsync(
        IEnumerable<(string Topic, int Partition, long Offset)> positions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _ends.Clear();
        _consumer.Assign(positions.Select(position => new TopicPartitionOffset(position.Topic, position.Partition, position.Offset)));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var room = new SemaphoreSlim(BatchesAhead);
        var batches = Channel.CreateUnbounded<IReadOnlyList<ConsumedRecord>>(new() { SingleReader = true, SingleWriter = true });
        var reading = Task.Factory.StartNew(() => ReadAhead(batches.Writer, room, ended.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var batch in batches.Reader.ReadAllAsync(cancellationToken))
            {
                yield return batch;
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
    /// Whether nothing is there any more before these offsets: where the last records of a compacted topic are gone, none comes that would say so. To be
    /// asked after an empty batch.
    /// </summary>
    public bool ArePassed(IEnumerable<KeyValuePair<(string Topic, int Partition), long>> offsets) =>
        offsets.All(offset => _ends.TryGetValue(offset.Key, out var end) && end >= offset.Value);

    private void ReadAhead(ChannelWriter<IReadOnlyList<ConsumedRecord>> batches, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                room.Wait(cancellationToken);
                batches.TryWrite(ReadBatch(cancellationToken));
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
    }

    private List<ConsumedRecord> ReadBatch(CancellationToken cancellationToken)
    {
        var batch = new List<ConsumedRecord>(MaxBatch);
        var (timeout, bytes) = (IdleTimeout, 0L);
        while (batch.Count < MaxBatch && bytes < MaxBatchBytes && Next(timeout) is { } record)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Add(record);
            (timeout, bytes) = (TimeSpan.Zero, bytes + (record.Body?.Length ?? 0));
        }
        // told only with an empty batch: then all that came before has been read
        foreach (var (partition, end) in batch.Count == 0 ? _endsAhead : [])
            _ends[partition] = end;
        return batch;
    }

    /// <summary>The next record; null where none came in time.</summary>
    private ConsumedRecord? Next(TimeSpan timeout)
    {
        try
        {
            while (_consumer.Consume(timeout) is { } result)
            {
                if (!result.IsPartitionEOF)
                    return ConsumedRecord.From(result);
                _endsAhead[(result.Topic, result.Partition.Value)] = result.Offset.Value;
            }
            return null;
        }
        catch (ConsumeException e) when (e.Error is { IsFatal: false, IsBrokerError: true } || e.Error.Code is ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Transport)
        {
            _log.Write(e.Error);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _consumer.Dispose();
}
