using Confluent.Kafka;
using Shop.Messaging.Consuming;

namespace Shop.Messaging.Tests.Properties;

/// <summary>One instance of the service as Kafka sees it: for each partition of its lane an assignment and a position, which a seek moves.</summary>
internal sealed class SimulatedInstance : IPartitionFeed
{
    private readonly BatchProcessor _processor;
    private readonly IReadOnlyDictionary<TopicPartition, List<ConsumedRecord>> _logs;
    private readonly Dictionary<TopicPartition, PartitionAssignment> _assignments = [];

    public SimulatedInstance(BatchProcessor processor, IReadOnlyDictionary<TopicPartition, List<ConsumedRecord>> logs)
    {
        (_processor, _logs) = (processor, logs);
        foreach (var partition in logs.Keys)
            Restart(partition, 0);
    }

    /// <summary>The next offset to read of each partition.</summary>
    public Dictionary<TopicPartition, long> Positions { get; } = [];

    /// <summary>The partition is assigned to it anew; it begins one before what Kafka was told.</summary>
    public void Restart(TopicPartition partition, long committed)
    {
        _assignments[partition] = new(partition) { Start = committed > 0 ? committed - 1 : null };
        Positions[partition] = Math.Max(0, committed - 1);
    }

    /// <summary>Handles a batch.</summary>
    /// <returns>The offsets it would commit to Kafka.</returns>
    public async Task<IEnumerable<TopicPartitionOffset>> HandleAsync(IEnumerable<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var batch = records.Select(record => new QueuedRecord(record, _assignments[new(record.Topic, record.Partition)])).ToList();
        foreach (var (record, assignment) in batch)
            Positions[assignment.Partition] = record.Offset + 1;
        if (batch.Count > 0)
            await _processor.ProcessAsync(batch, this, cancellationToken);
        return batch.Where(queued => !queued.Assignment.Ended).Select(queued => new TopicPartitionOffset(queued.Assignment.Partition, queued.Record.Offset + 1));
    }

    public void Seek(PartitionAssignment assignment, long start)
    {
        assignment.End();
        _assignments[assignment.Partition] = new(assignment.Partition) { Start = start };
        Positions[assignment.Partition] = start;
    }

    public void StoreOffset(TopicPartition partition, long next) => throw new NotSupportedException("The lane stores offsets, and there is none");

    public (long First, long End) Bounds(TopicPartition partition) => (0, _logs[partition].Count);

    public long FirstSince(TopicPartition partition, DateTimeOffset since) => throw new NotSupportedException("The log is always the same one");
}
