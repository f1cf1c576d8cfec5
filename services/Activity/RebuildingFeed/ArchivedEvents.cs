using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Parquet;
using Shop.Activity.StoringEvents;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Streams;

namespace Shop.Activity.RebuildingFeed;

/// <summary>Reads events from the warehouse's files that Kafka does not have any more.</summary>
internal sealed class ArchivedEvents(IOptions<WarehouseOptions> options)
{
    /// <summary>The events of files that begin before what Kafka has, from the shadow's positions on, up to there.</summary>
    public async IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> ReadAsync(
        Positions positions, IReadOnlyList<LogPartition> partitions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var warehouse = new LocalWarehouse(options.Value.Directory!);
        using var reading = await warehouse.ReadAsync(cancellationToken);
        var first = partitions.ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);
        var files = warehouse.List().Select(file => file.File)
            .Where(file => first.TryGetValue((file.Topic, file.Partition), out var kept) && file.First < kept && file.Last >= positions.GetValueOrDefault((file.Topic, file.Partition)));
        foreach (var file in files.OrderBy(file => file.Hour).ThenBy(file => file.First))
        {
            var events = new List<(StoredEvent?, string, int, long)>();
            foreach (var stored in await ReadAsync(warehouse, file, cancellationToken))
            {
                if (stored.Offset >= positions.GetValueOrDefault((file.Topic, file.Partition)) && stored.Offset < first[(file.Topic, file.Partition)])
                    events.Add((stored.EventId == Guid.Empty ? null : stored, file.Topic, file.Partition, stored.Offset));
            }
            yield return events;
        }
    }

    private static async Task<IReadOnlyList<StoredEvent>> ReadAsync(LocalWarehouse warehouse, WarehouseFile file, CancellationToken cancellationToken)
    {
        await using var stream = warehouse.Open(file);
        await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name);
        var events = new List<StoredEvent>();
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            using var rows = reader.OpenRowGroupReader(group);
            var count = (int)rows.RowCount;
            string?[] key = await TextsAsync("key"), id = await TextsAsync("id"), type = await TextsAsync("type"), source = await TextsAsync("source"),
                cause = await TextsAsync("cause"), trace = await TextsAsync("traceparent"), data = await TextsAsync("data");
            var offset = new long?[count];
            await rows.ReadAsync<long>(fields["offset"], offset.AsMemory(), cancellationToken: cancellationToken);
            var time = new DateTime?[count];
            await rows.ReadAsync<DateTime>(fields["time"], time.AsMemory(), cancellationToken: cancellationToken);
            for (var i = 0; i < count; i++)
            {
                events.Add(new(Guid.TryParse(id[i], out var eventId) ? eventId : Guid.Empty, type[i] ?? "", file.Topic, file.Partition, offset[i]!.Value, key[i] ?? "", source[i] ?? "",
                    key[i] ?? "", new(DateTime.SpecifyKind(time[i]!.Value, DateTimeKind.Utc)), Guid.TryParse(cause[i], out var causation) ? causation : null, trace[i], data[i],
                    // what was no JSON is in the file as a JSON string, which no event is
                    data[i] is ['"', ..]));
            }

            async Task<string?[]> TextsAsync(string name)
            {
                var texts = new string?[count];
                await rows.ReadAsync(fields[name], texts.AsMemory()!, cancellationToken: cancellationToken);
                return texts;
            }
        }
        return events;
    }
}
