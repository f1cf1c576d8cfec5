namespace Shop.KafkaBroker;

/// <summary>The kinds of entries in the journal. Numbers are on disk: never reuse one.</summary>
internal enum JournalEntry : sbyte
{
    Cluster = 1,
    Topic = 2,
    TopicDeleted = 3,
    Partitions = 4,
    Configs = 5,
    ProducerIds = 6,
    Offsets = 7,
    OffsetsDeleted = 8,
    Group = 9,
    GroupDeleted = 10,
    LogStart = 11,
    LeaderEpoch = 12,

    /// <summary>The first of the entries that were written at once, with the bytes they take: none of those can be torn.</summary>
    Snapshot = 13,
}
