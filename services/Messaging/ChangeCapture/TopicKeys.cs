using Shop.Contracts;
using Shop.Messaging.Streams;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Which keys a compacted topic has: those whose newest record has a body.</summary>
internal static class TopicKeys
{
    /// <summary>Reads the topic, whoever made it, from its first record to its present end.</summary>
    public static async Task<HashSet<string>> ReadAsync(LogReaders logs, Topic topic, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        using var reader = logs.Open();
        var partitions = await Task.Run(() => reader.PartitionsOf([topic]), cancellationToken);
        await foreach (var batch in reader.ReadAsync(partitions.Select(partition => (topic.Name, partition.Partition, partition.First)), cancellationToken))
        {
            foreach (var record in batch.Where(record => record.Key.Length > 0))
                _ = record.Body is null ? keys.Remove(record.Key) : keys.Add(record.Key);
            if (partitions.All(partition => reader.IsPassed((topic.Name, partition.Partition), partition.End)))
                break;
        }
        return keys;
    }
}
