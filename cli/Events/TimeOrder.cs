using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;

namespace Shop.Cli.Events;

/// <summary>Merges the partitions' records by the time at which they happened; within a partition they keep their order.</summary>
internal sealed class TimeOrder
{
    private readonly Dictionary<TopicPartition, Lane> _lanes = [];
    private readonly PriorityQueue<Lane, (DateTimeOffset HappenedAt, long Arrival)> _heads = new();
    private long _arrivals;
    private int _awaited;

    /// <summary>Whether everything that was there when reading began has been taken.</summary>
    public bool IsComplete => _awaited == 0 && _heads.Count == 0;

    /// <summary>Begins with a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="hasRecords">Whether records are there that the other partitions' have to wait for, until <see cref="End"/>.</param>
    public void Begin(TopicPartition partition, bool hasRecords)
    {
        _lanes[partition] = new() { IsAwaited = hasRecords };
        if (hasRecords)
            _awaited++;
    }

    /// <summary>A record has come.</summary>
    /// <returns>How many records of its partition are here.</returns>
    public int Add(EventRecord record)
    {
        var lane = LaneOf(new(record.Topic, record.Partition));
        lane.Records.Enqueue(record);
        if (lane.Records.Count == 1)
        {
            if (lane.IsAwaited)
                _awaited--;
            AddHead(lane);
        }
        return lane.Records.Count;
    }

    /// <summary>Nothing more has to be waited for in that partition.</summary>
    public void End(TopicPartition partition)
    {
        var lane = LaneOf(partition);
        if (lane is { IsAwaited: true, Records.Count: 0 })
            _awaited--;
        lane.IsAwaited = false;
    }

    /// <summary>Takes the oldest record, if it is sure that it is.</summary>
    /// <param name="record">The record.</param>
    /// <param name="left">How many of its partition are left here.</param>
    public bool TryTake([NotNullWhen(true)] out EventRecord? record, out int left)
    {
        if (_awaited > 0 || !_heads.TryDequeue(out var lane, out _))
        {
            record = null;
            left = 0;
            return false;
        }
        record = lane.Records.Dequeue();
        left = lane.Records.Count;
        if (left > 0)
            AddHead(lane);
        else if (lane.IsAwaited)
            _awaited++;
        return true;
    }

    private Lane LaneOf(TopicPartition partition) => _lanes[partition];

    private void AddHead(Lane lane) => _heads.Enqueue(lane, (lane.Records.Peek().HappenedAt ?? DateTimeOffset.MinValue, _arrivals++));

    private sealed class Lane
    {
        public Queue<EventRecord> Records { get; } = new();

        public bool IsAwaited { get; set; }
    }
}
