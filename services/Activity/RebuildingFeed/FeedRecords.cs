using System.Diagnostics;
using System.Runtime.CompilerServices;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Streams;

namespace Shop.Activity.RebuildingFeed;

/// <summary>Reads from the topics what the feed has read.</summary>
internal static class FeedRecords
{
    /// <summary>Where each partition begins by now.</summary>
    /// <exception cref="Confluent.Kafka.KafkaException">The broker does not answer.</exception>
    public static IReadOnlyDictionary<(string Topic, int Partition), long> FirstOf(LogReader reader) =>
        reader.PartitionsOf(Topics.Lasting).ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);

    /// <summary>
    /// The records from the positions to given ends, which are not included; empty batches while none comes. Positions of partitions of which nothing more
    /// is there before their end (by age, or compacted) are moved to it; the others are the caller's to move. Ends where nothing has come for as long as
    /// <paramref name="patience"/>, or, with <paramref name="waitsForDamage"/>, as long as that after it was found out how far what cannot be read goes: who
    /// needs to know whether the ends were reached looks at the positions.
    /// </summary>
    public static async IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> ReadUpToAsync(
        LogReader reader, Positions positions, IReadOnlyDictionary<(string Topic, int Partition), long> ends, IReadOnlyDictionary<(string Topic, int Partition), long> first, TimeSpan patience, bool waitsForDamage, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var open = new Dictionary<(string Topic, int Partition), long>();
        foreach (var (partition, end) in ends)
        {
            if (end > From(partition))
                open.Add(partition, end);
            else
                Reached(partition, end);
        }
        if (open.Count == 0)
            yield break;
        var heardAt = Stopwatch.GetTimestamp();
        await foreach (var batch in reader.ReadAsync(open.Keys.Select(partition => (partition.Topic, partition.Partition, From(partition))).ToList(), cancellationToken))
        {
            var events = new List<(StoredEvent?, string, int, long)>(batch.Count);
            var reached = new Dictionary<(string Topic, int Partition), long>();
            foreach (var record in batch)
            {
                var partition = (record.Topic, record.Partition);
                if (!open.TryGetValue(partition, out var end))
                    continue;
                if (record.Offset < end)
                    events.Add((EventOf(record), record.Topic, record.Partition, record.Offset));
                // compacted topics have gaps: what lies behind the end says that it was passed
                if (record.Offset >= end - 1 && open.Remove(partition))
                    reached.Add(partition, end);
            }
            yield return events;
            if (batch.Count > 0 || (waitsForDamage && reader.IsPassingOver))
                heardAt = Stopwatch.GetTimestamp();
            foreach (var (partition, end) in open.Where(end => reader.IsPassed(end.Key, end.Value)).ToList())
            {
                open.Remove(partition);
                reached.Add(partition, end);
            }
            foreach (var (partition, end) in reached)
                Reached(partition, end);
            if (open.Count == 0 || Stopwatch.GetElapsedTime(heardAt) > patience)
                yield break;
        }

        long From((string, int) partition) => Math.Max(positions.GetValueOrDefault(partition), first.GetValueOrDefault(partition));
        void Reached((string, int) partition, long end) => positions[partition] = Math.Max(positions.GetValueOrDefault(partition), end);
    }

    /// <summary>What the feed keeps of a record; null where that became a dead letter.</summary>
    private static StoredEvent? EventOf(ConsumedRecord record)
    {
        try
        {
            return StoredEvent.From(record);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
