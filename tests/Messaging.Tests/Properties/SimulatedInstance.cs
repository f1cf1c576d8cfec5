using Confluent.Kafka;
using Shop.Messaging.Consuming;

namespace Shop.Messaging.Tests;

/// <summary>One instance of the service as Kafka sees it: an assignment and a position, which a seek moves.</summary>
internal sealed class SimulatedInstance(BatchProcessor processor, TopicPartition partition)
{
    private PartitionAssignment _assignment = new(partition);

    /// <summary>The next offset to read.</summary>
    public long Position { get; private set; }

    /// <summary>Everything before was handled, as far as this instance knows.</summary>
    public long Handled { get; private set; }

    /// <summary>The partition is assigned to it anew.</summary>
    public void Restart(long position)
    {
        _assignment = new(partition);
        Position = position;
    }

    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
            return;
        var assignment = _assignment;
        Position = records[^1].Offset + 1;
        var control = new LaneControl(null!, Seek, new());
        await processor.ProcessAsync([.. records.Select(record => new QueuedRecord(record, assignment))], control, cancellationToken);
        if (!assignment.Ended)
            Handled = Position;
    }

    private void Seek(PartitionAssignment assignment, long offset)
    {
        assignment.End();
        _assignment = new(partition) { NextOffset = offset };
        Position = offset;
    }
}
