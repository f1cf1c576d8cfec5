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
    private static readonly Topic[] Read = [Topics.Orders, Topics.Payments];

    /// <summary>Opens what there is now.</summary>
    /// <param name="from">The first time; null for the beginning.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>How many records there are to read, and the records.</returns>
    /// <exception cref="Confluent.Kafka.KafkaException">The broker does not answer.</exception>
    public (long Count, IAsyncEnumerable<ConsumedRecord> Records) Open(DateTimeOffset? from, CancellationToken cancellationToken)
    {
        using var reader = logs.Open();
        var partitions = reader.PartitionsOf(Read);
        var begin = from is { } time ? reader.OffsetsAt(partitions, time) : partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);
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

    private async IAsyncEnumerable<ConsumedRecord> ReadAsync(LogPartition partition, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = logs.Open();
        KeyValuePair<(string, int), long>[] end = [new((partition.Topic.Name, partition.Partition), partition.End)];
        await foreach (var batch in reader.ReadAsync([(partition.Topic.Name, partition.Partition, from)], cancellationToken))
        {
            foreach (var record in batch)
            {
                if (record.Offset < partition.End)
                    yield return record;
                if (record.Offset >= partition.End - 1)
                    yield break;
            }
            if (batch.Count == 0 && reader.ArePassed(end))
                yield break;
        }
    }
}
