using System.IO.Compression;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Shop.Activity.StoringEvents;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Activity.Warehouse;

/// <summary>Rows of a topic's table, column by column, that will be a file.</summary>
internal sealed class RowBuffer
{
    /// <summary>What a row takes besides its data, nearly.</summary>
    private const int EnvelopeBytes = 200;

    private readonly ColumnBuffer[] _columns;
    private readonly TextBuffer _topic, _key, _id, _type, _source, _cause, _traceParent, _data, _subject;
    private readonly ValueBuffer<int> _partition;
    private readonly ValueBuffer<long> _offset;
    private readonly ValueBuffer<DateTime> _time;
    private readonly ValueBuffer<bool> _malformed;
    private readonly ColumnBuffer[] _fields;

    public RowBuffer(WarehouseTable table)
    {
        _columns = [.. table.Columns.Select(ColumnBuffer.For)];
        Schema = new([.. _columns.Select(column => column.Field)]);
        (_topic, _partition, _offset, _key) = (Text("topic"), (ValueBuffer<int>)Find("partition"), (ValueBuffer<long>)Find("offset"), Text("key"));
        (_id, _type, _time, _source) = (Text("id"), Text("type"), (ValueBuffer<DateTime>)Find("time"), Text("source"));
        (_cause, _traceParent, _data) = (Text("cause"), Text("traceparent"), Text("data"));
        (_subject, _malformed) = (Text("ce_subject"), (ValueBuffer<bool>)Find("malformed"));
        _fields = [.. _columns.Where(column => column.Column.Path.Count > 0)];

        ColumnBuffer Find(string name) => _columns.Single(column => column.Column.Name == name);
        TextBuffer Text(string name) => (TextBuffer)Find(name);
    }

    public ParquetSchema Schema { get; }

    public int Rows { get; private set; }

    /// <summary>What the rows take before compression, nearly.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds a record, whatever it is: one that is no event has its place too.</summary>
    public void Add(ConsumedRecord record)
    {
        var attributes = AttributesOf(record);
        var (data, content) = StoredEvent.ContentOf(record.Body);
        _topic.Add(record.Topic);
        _partition.Add(record.Partition);
        _offset.Add(record.Offset);
        _key.Add(record.Key);
        _id.Add(attributes?.Id.ToString());
        _type.Add(attributes?.Type);
        _time.Add(Microseconds((attributes is null || attributes.Time == DateTimeOffset.UnixEpoch ? record.Timestamp : attributes.Time).UtcDateTime));
        _source.Add(attributes?.Source);
        _cause.Add(attributes?.CausationId?.ToString());
        _traceParent.Add(attributes?.TraceParent);
        _data.Add(data);
        _subject.Add(attributes is null || attributes.Subject == record.Key ? null : attributes.Subject);
        _malformed.Add(data is not null && content is null);
        using (content)
            AddFields(content);
        Rows++;
        Bytes += EnvelopeBytes + (record.Body?.Length ?? 0);
    }

    /// <summary>Adds the rows of a row group of a file, which may have been written when the table had fewer columns.</summary>
    public async Task AddAsync(ParquetReader file, int group, CancellationToken cancellationToken)
    {
        var theirs = file.Schema.GetDataFields().ToDictionary(field => field.Name);
        using var reader = file.OpenRowGroupReader(group);
        var (rows, characters) = ((int)reader.RowCount, _data.Characters);
        foreach (var column in _columns)
            await column.AddAsync(reader, theirs.GetValueOrDefault(column.Column.Name), rows, cancellationToken);
        Rows += rows;
        Bytes += (EnvelopeBytes * (long)rows) + _data.Characters - characters;
    }

    /// <summary>Writes the rows as a whole file.</summary>
    public async Task WriteAsync(Stream file, CancellationToken cancellationToken)
    {
        await using var writer = await BeginAsync(file, cancellationToken);
        await WriteAsync(writer, cancellationToken);
    }

    /// <summary>Begins a file of rows like these.</summary>
    public async Task<ParquetWriter> BeginAsync(Stream file, CancellationToken cancellationToken) =>
        // at its strongest zstd takes twenty times as long
        await ParquetWriter.CreateAsync(Schema, file, new() { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = CompressionLevel.Fastest }, cancellationToken: cancellationToken);

    /// <summary>Writes the rows as a row group of a file.</summary>
    public async Task WriteAsync(ParquetWriter file, CancellationToken cancellationToken)
    {
        using var rows = file.CreateRowGroup();
        foreach (var column in _columns)
            await column.WriteAsync(rows, cancellationToken);
    }

    /// <summary>Without what is finer than a column, and the feed's tables, can hold.</summary>
    private static DateTime Microseconds(DateTime time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));

    private void AddFields(JsonDocument? json)
    {
        foreach (var field in _fields)
        {
            try
            {
                field.Add(json is null ? null : Find(json.RootElement, field.Column.Path));
            }
            catch (InvalidOperationException)
            {
                // a name or a value with half of a surrogate pair is no text: every column has as many values as there are rows all the same
                field.Add(null);
            }
        }
    }

    private static JsonElement? Find(JsonElement element, IReadOnlyList<string> path)
    {
        for (var i = 0; i < path.Count; i++)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(path[i], out element))
                return null;
        }
        return element;
    }

    /// <summary>A record's attributes; null where it is no event.</summary>
    public static CloudEvent? AttributesOf(ConsumedRecord record)
    {
        try
        {
            return record.Event;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
