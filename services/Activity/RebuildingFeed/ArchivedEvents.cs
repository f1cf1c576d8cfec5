using System.Runtime.CompilerServices;
using Shop.Activity.StoringEvents;
using Shop.Activity.Warehouse;
using Shop.Messaging.Streams;

namespace Shop.Activity.RebuildingFeed;

/// <summary>Reads events from the warehouse's files that Kafka does not have any more.</summary>
internal sealed class ArchivedEvents(IServiceProvider services)
{
    /// <summary>The events of files that begin before what Kafka has, from the shadow's positions on, up to there.</summary>
    public async IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> ReadAsync(
        Positions positions, IReadOnlyList<LogPartition> partitions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var warehouse = services.GetRequiredService<IWarehouse>();
        using var reading = await warehouse.ReadAsync(cancellationToken);
        var first = partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);
        var files = (await warehouse.ListAsync(cancellationToken)).Select(file => file.File)
            .Where(file => first.TryGetValue((file.Topic, file.Partition), out var kept) && file.First < kept && file.Last >= positions.GetValueOrDefault((file.Topic, file.Partition)));
        foreach (var file in files.OrderBy(file => file.Hour).ThenBy(file => file.First))
        {
            var events = new List<(StoredEvent?, string, int, long)>();
            foreach (var (stored, offset) in await FileRows.ReadAsync(warehouse, file, cancellationToken))
            {
                if (offset >= positions.GetValueOrDefault((file.Topic, file.Partition)) && offset < first[(file.Topic, file.Partition)])
                    events.Add((stored, file.Topic, file.Partition, offset));
            }
            yield return events;
        }
    }
}
