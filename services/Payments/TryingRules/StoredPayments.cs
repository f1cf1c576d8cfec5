using System.Runtime.CompilerServices;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Streams;

namespace Shop.Payments.TryingRules;

/// <summary>
/// What the topics <c>orders</c> and <c>payments</c> have of all payments, in the order in which it happened: a merge of the partitions, each of which is in
/// that order by itself and is read a little ahead, so that memory does not grow with what is stored.
/// </summary>
internal sealed class StoredPayments(LogReaders logs)
{
    /// <summary>The topics that are read.</summary>
    public static readonly Topic[] Read = [Topics.Orders, Topics.Payments];

    /// <summary>Opens what there is now.</summary>
    /// <param name="start">Where to begin.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>How many records there are to read, and the records.</returns>
    /// <exception cref="Confluent.Kafka.KafkaException">The broker does not answer.</exception>
    public async Task<(long Count, IAsyncEnumerable<ConsumedRecord> Records)> OpenAsync(ReplayStart start, CancellationToken cancellationToken)
    {
        using var reader = logs.Open();
        var partitions = reader.PartitionsOf(Read);
        var time = start.Position is { } position ? await TimeOfAsync(position, partitions, cancellationToken) : start.Time;
        // a record that is still to come has nothing behind it
        if (start.Position is not null && time is null)
            return (0, MergeAsync([]));
        var begin = time is { } from ? reader.OffsetsAt(partitions, from) : partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);
        if (start.Position is { } first)
            begin = new Dictionary<(string, int), long>(begin) { [(first.Topic.Name, first.Partition)] = first.Offset };
        var wanted = partitions.Select(partition => (Partition: partition, From: begin[(partition.Topic.Name, partition.Partition)])).Where(one => one.From < one.Partition.End).ToList();
        return (wanted.Sum(one => one.Partition.End - one.From), MergeAsync([.. wanted.Select(one => ReadAsync(one.Partition, one.From, cancellationToken))]));
    }

    /// <summary>The records of logs by their time, the oldest first.</summary>
    internal static async IAsyncEnumerable<ConsumedRecord> MergeAsync(IReadOnlyList<IAsyncEnumerable<ConsumedRecord>> logs)
    {
        var heads = new PriorityQueue<IAsyncEnumerator<ConsumedRecord>, (DateTimeOffset, int)>();
        var all = logs.Select(log => log.GetAsyncEnumerator()).ToList();
        try
        {
            for (var i = 0; i < all.Count; i++)
            {
                if (await all[i].MoveNextAsync())
                    heads.Enqueue(all[i], (all[i].Current.Timestamp, i));
            }
            while (heads.TryDequeue(out var log, out var rank))
            {
                yield return log.Current;
                if (await log.MoveNextAsync())
                    heads.Enqueue(log, (log.Current.Timestamp, rank.Item2));
            }
        }
        finally
        {
            foreach (var log in all)
                await log.DisposeAsync();
        }
    }

    /// <summary>When the record at a place, or the first after it that is still there, was written; null where there is none.</summary>
    private async Task<DateTimeOffset?> TimeOfAsync(RecordPosition position, IReadOnlyList<LogPartition> partitions, CancellationToken cancellationToken)
    {
        if (partitions.FirstOrDefault(known => known.Topic == position.Topic && known.Partition == position.Partition) is not { } partition || position.Offset >= partition.End)
            return null;
        await foreach (var record in ReadAsync(partition, position.Offset, cancellationToken))
            return record.Timestamp;
        return null;
    }

    private async IAsyncEnumerable<ConsumedRecord> ReadAsync(LogPartition partition, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = logs.Open();
        await foreach (var batch in reader.ReadAsync([(partition.Topic.Name, partition.Partition, from)], cancellationToken))
        {
            foreach (var record in batch)
            {
                if (record.Offset < partition.End)
                    yield return record;
                if (record.Offset >= partition.End - 1)
                    yield break;
            }
            if (reader.IsPassed((partition.Topic.Name, partition.Partition), partition.End))
                yield break;
        }
    }
}
