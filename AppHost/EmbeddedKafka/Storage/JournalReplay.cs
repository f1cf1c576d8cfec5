namespace Shop.KafkaBroker;

/// <summary>A topic as the journal tells it.</summary>
internal sealed class JournaledTopic(string name)
{
    public string Name { get; } = name;

    public int Partitions { get; set; }

    public IReadOnlyDictionary<string, string> Configs { get; set; } = new Dictionary<string, string>();

    public Dictionary<int, long> LogStartOffsets { get; } = [];

    public required Guid Id { get; init; }
}

/// <summary>What the journal's entries add up to. Groups are restored into the coordinator as they come.</summary>
internal sealed class JournalReplay(GroupCoordinator groups)
{
    public string? ClusterId { get; private set; }

    /// <summary>The leader epoch of the last process; -1 when there was none.</summary>
    public int LeaderEpoch { get; private set; } = -1;

    public int NextTopicNumber { get; private set; } = 1;

    public long ReservedProducerIds { get; private set; }

    public SortedDictionary<int, JournaledTopic> Topics { get; } = [];

    /// <summary>Directories of topics that were deleted.</summary>
    public HashSet<string> Deleted { get; } = [];

    public void Read(RequestReader r)
    {
        switch ((JournalEntry)r.Int8())
        {
            case JournalEntry.Cluster:
                ClusterId = r.String();
                LeaderEpoch = Math.Max(LeaderEpoch, 0);
                NextTopicNumber = Math.Max(NextTopicNumber, r.Int32());
                break;
            case JournalEntry.Topic:
                ReadTopic(r);
                break;
            case JournalEntry.TopicDeleted:
                var (number, name) = (r.Int32(), r.String());
                Topics.Remove(number);
                Deleted.Add($"{name}-{number}");
                groups.ForgetTopic(name);
                break;
            case JournalEntry.Partitions:
                Topics[r.Int32()].Partitions = r.Int32();
                break;
            case JournalEntry.Configs:
                Topics[r.Int32()].Configs = ReadConfigs(r);
                break;
            case JournalEntry.LeaderEpoch:
                LeaderEpoch = r.Int32();
                break;
            case JournalEntry.ProducerIds:
                ReservedProducerIds = r.Int64();
                break;
            case JournalEntry.LogStart:
                var (topic, partition) = (Topics[r.Int32()], r.Int32());
                topic.LogStartOffsets[partition] = r.Int64();
                break;
            case var entry:
                groups.Restore(entry, r);
                break;
        }
    }

    private static Dictionary<string, string> ReadConfigs(RequestReader r) =>
        r.Array(4, static r => (Name: r.String(), Value: r.String())).ToDictionary(pair => pair.Name, pair => pair.Value);

    private void ReadTopic(RequestReader r)
    {
        var number = r.Int32();
        var (name, configs, starts) = (r.String(), ReadConfigs(r), r.Array(8, static r => r.Int64()));
        var topic = new JournaledTopic(name) { Configs = configs, Id = r.Remaining > 0 ? r.Uuid() : Guid.CreateVersion7() };
        foreach (var offset in starts)
            topic.LogStartOffsets[topic.Partitions++] = offset;
        Topics[number] = topic;
        NextTopicNumber = Math.Max(NextTopicNumber, number + 1);
    }
}
