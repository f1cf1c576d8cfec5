namespace Shop.Messaging.Outbox;

/// <summary>The shards of the outbox; each is relayed by one instance at a time, so they bound how many can share the work.</summary>
internal static class OutboxShards
{
    public const int Count = 16;

    /// <summary>The shard of a key: FNV-1a over its UTF-16 units, stable across processes and versions, unlike string.GetHashCode.</summary>
    public static short Of(string key)
    {
        var hash = 2166136261u;
        foreach (var unit in key)
            hash = (hash ^ unit) * 16777619u;
        return (short)(hash % Count);
    }
}
