using Parquet;
using Shop.Activity.StoringEvents;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Reads files of the warehouse.</summary>
internal static class FileRows
{
    /// <summary>A file's rows, in their order: of those that are no events the id is empty.</summary>
    public static async Task<IReadOnlyList<StoredEvent>> ReadAsync(LocalWarehouse warehouse, WarehouseFile file, CancellationToken cancellationToken)
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
