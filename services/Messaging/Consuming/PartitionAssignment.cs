using System.Diagnostics;
using Confluent.Kafka;

namespace Shop.Messaging.Consuming;

/// <summary>
/// One partition as long as this consumer holds it, from an assignment or a seek to the next. Records remember under which
/// one they were read, so that what was queued before a rebalance or seek is dropped.
/// </summary>
internal sealed class PartitionAssignment(TopicPartition partition)
{
    private volatile bool _ended;
    private volatile Task<string?> _topicId = Task.FromResult<string?>(null);
    private string? _firstTopicId;

    public TopicPartition Partition { get; } = partition;

    /// <summary>The consumer lost the partition, or reads it again from elsewhere.</summary>
    public bool Ended => _ended;

    /// <summary>The offset that reading was told to begin at; null where that was left to Kafka.</summary>
    public long? Start
    {
        get;
        init => Awaited = field = value;
    }

    /// <summary>The topic was seen to have been made anew, whatever its records say.</summary>
    public bool IsAnotherLog { get; init; }

    /// <summary>When a record came last, or reading began (<see cref="Stopwatch"/>); the polling thread's own note.</summary>
    public long ArrivedAt { get; set; } = Stopwatch.GetTimestamp();

    /// <summary>The offset that has to come next; null where that is left to Kafka. The polling thread's own note.</summary>
    public long? Awaited { get; set; }

    /// <summary>Nothing of it is fetched, since a batch's checksum is wrong, until it is known what is behind that. The polling thread's own note.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The broker does not find the batch that was fetched last, since it is damaged. The polling thread's own note.</summary>
    public bool IsRefused { get; set; }

    /// <summary>The offset at which reading was told to go on, behind what cannot be read; null once a record from there on has come. The polling thread's own note.</summary>
    public long? Sought { get; set; }

    /// <summary>When it was looked at last whether what comes next can be read (<see cref="Stopwatch"/>). The polling thread's own note.</summary>
    public long ProbedAt { get; set; }

    /// <summary>The leader epoch in which the record that came last was written; null where none came, or the broker does not tell. The polling thread's own note.</summary>
    public int? LeaderEpoch { get; set; }

    /// <summary>The topic's id, which was asked for last; null where the broker does not tell.</summary>
    public Task<string?> TopicId
    {
        get => _topicId;
        set => _topicId = value;
    }

    /// <summary>The offset row as this assignment knows it; null until it was read.</summary>
    public LogPosition? Position { get; set; }

    /// <summary>Whether the log was seen to be the one that <see cref="Position"/> is about.</summary>
    public bool IsVerified { get; set; }

    /// <summary>Whether <paramref name="topicId"/> is not the topic's that this assignment began with.</summary>
    public bool IsAnotherTopic(string? topicId) =>
        topicId is not null && Interlocked.CompareExchange(ref _firstTopicId, topicId, null) is { } first && first != topicId;

    public void End() => _ended = true;
}
