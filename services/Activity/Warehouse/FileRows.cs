using Parquet;
using Parquet.Schema;
using Shop.Activity.StoringEvents;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Reads files of the warehouse.</summary>
internal static class FileRows
{
    /// <summary>A file's rows, in their order, as the events that they are; null for what is none.</summary>
    public static async Task<IReadOnlyList<(StoredEvent? Event, long Offset)>> ReadAsync(IWarehouse warehouse, WarehouseFile file, CancellationToken cancellationToken)
    {
        await using var stream = await warehouse.OpenAsync(file, cancellationToken);
        await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name);
        var events = new List<(StoredEvent?, long)>();
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            using var rows = reader.OpenRowGroupReader(group);
            var count = (int)rows.RowCount;
            string?[] key = await TextsAsync("key"), id = await TextsAsync("id"), type = await TextsAsync("type"), source = await TextsAsync("source"),
                cause = await TextsAsync("cause"), trace = await TextsAsync("traceparent"), data = await TextsAsync("data");
            // older files have no such columns
            var subject = fields.ContainsKey("ce_subject") ? await TextsAsync("ce_subject") : new string?[count];
            var malformed = new bool?[count];
            if (fields.TryGetValue("malformed", out var isMalformed))
                await rows.ReadAsync<bool>(isMalformed, malformed.AsMemory(), cancellationToken: cancellationToken);
            var offset = await OffsetsAsync(rows, fields, cancellationToken);
            var time = new DateTime?[count];
            await rows.ReadAsync<DateTime>(fields["time"], time.AsMemory(), cancellationToken: cancellationToken);
            for (var i = 0; i < count; i++)
            {
                StoredEvent? stored = Guid.TryParse(id[i], out var eventId)
                    ? new(eventId, type[i] ?? "", file.Topic, file.Partition, offset[i]!.Value, key[i] ?? "", source[i] ?? "", subject[i] ?? key[i] ?? "",
                        new(DateTime.SpecifyKind(time[i]!.Value, DateTimeKind.Utc)), Guid.TryParse(cause[i], out var causation) ? causation : null, trace[i], data[i],
                        // where it is not said, a JSON string is what was no JSON: no event of ours is one
                        malformed[i] ?? (data[i] is ['"', ..]))
                    : null;
                events.Add((stored, offset[i]!.Value));
            }

            Task<string?[]> TextsAsync(string name) => FileRows.TextsAsync(rows, fields[name], cancellationToken);
        }
        return events;
    }

    /// <summary>
    /// What a row is known by: the id of its event, and where it is none, what the record has. Null where the file has no such row. Of the file's columns only those that are needed
    /// are read: what the records have is most of it.
    /// </summary>
    public static async Task<(Guid Id, string? Data)?> FindAsync(IWarehouse warehouse, WarehouseFile file, long offset, CancellationToken cancellationToken)
    {
        await using var stream = await warehouse.OpenAsync(file, cancellationToken);
        await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Name);
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            using var rows = reader.OpenRowGroupReader(group);
            var row = Array.IndexOf(await OffsetsAsync(rows, fields, cancellationToken), offset);
            if (row < 0)
                continue;
            if (Guid.TryParse((await TextsAsync(rows, fields["id"], cancellationToken))[row], out var id) && id != Guid.Empty)
                return (id, null);
            return (Guid.Empty, (await TextsAsync(rows, fields["data"], cancellationToken))[row]);
        }
        return null;
    }

    private static async Task<long?[]> OffsetsAsync(ParquetRowGroupReader rows, Dictionary<string, DataField> fields, CancellationToken cancellationToken)
    {
        var offsets = new long?[rows.RowCount];
        await rows.ReadAsync<long>(fields["offset"], offsets.AsMemory(), cancellationToken: cancellationToken);
        return offsets;
    }

    private static async Task<string?[]> TextsAsync(ParquetRowGroupReader rows, DataField field, CancellationToken cancellationToken)
    {
        var texts = new string?[rows.RowCount];
        await rows.ReadAsync(field, texts.AsMemory()!, cancellationToken: cancellationToken);
        return texts;
    }
}
