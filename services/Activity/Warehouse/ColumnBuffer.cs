using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>A column of the rows that will be a file.</summary>
internal abstract class ColumnBuffer(WarehouseColumn column, DataField field)
{
    public WarehouseColumn Column { get; } = column;

    public DataField Field { get; } = field;

    /// <summary>Adds what an event's data has for this column; null where that is missing or of another type.</summary>
    public abstract void Add(JsonElement? value);

    public abstract Task WriteAsync(ParquetRowGroupWriter writer, CancellationToken cancellationToken);

    /// <summary>Adds the rows of another file's row group; nulls where that has no such column.</summary>
    public abstract Task AddAsync(ParquetRowGroupReader reader, DataField? theirs, int rows, CancellationToken cancellationToken);

    public static ColumnBuffer For(WarehouseColumn column) => column.Type switch
    {
        WarehouseType.Integer => new ValueBuffer<int>(column, new DataField<int?>(column.Name), value => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null),
        WarehouseType.Long => new ValueBuffer<long>(column, new DataField<long?>(column.Name), value => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null),
        WarehouseType.Double => new ValueBuffer<double>(column, new DataField<double?>(column.Name), value => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null),
        WarehouseType.Decimal => new ValueBuffer<decimal>(column, new DecimalDataField(column.Name, WarehouseTable.DecimalPrecision, WarehouseTable.DecimalScale, isNullable: true), DecimalOf),
        WarehouseType.Boolean => new ValueBuffer<bool>(column, new DataField<bool?>(column.Name), value => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null),
        WarehouseType.Timestamp => new ValueBuffer<DateTime>(column, new DateTimeDataField(column.Name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: true),
            value => value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time.UtcDateTime : null),
        _ => new TextBuffer(column),
    };

    /// <summary>An amount as it is, never rounded.</summary>
    private static decimal? DecimalOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var amount) && Math.Abs(amount) < 100_000_000_000_000m && decimal.Round(amount, WarehouseTable.DecimalScale) == amount ? amount : null;
}

/// <summary>A column of values.</summary>
internal sealed class ValueBuffer<T>(WarehouseColumn column, DataField field, Func<JsonElement, T?> read) : ColumnBuffer(column, field) where T : struct
{
    private readonly List<T?> _values = [];

    public void Add(T? value) => _values.Add(value);

    public override void Add(JsonElement? value) => _values.Add(value is { } element ? read(element) : null);

    public override Task WriteAsync(ParquetRowGroupWriter writer, CancellationToken cancellationToken) =>
        writer.WriteAsync<T>(Field, new ReadOnlyMemory<T?>([.. _values]), cancellationToken: cancellationToken);

    public override async Task AddAsync(ParquetRowGroupReader reader, DataField? theirs, int rows, CancellationToken cancellationToken)
    {
        var values = new T?[rows];
        if (theirs is not null)
            await reader.ReadAsync<T>(theirs, values.AsMemory(), cancellationToken: cancellationToken);
        _values.AddRange(values);
    }
}

/// <summary>A column of texts.</summary>
internal sealed class TextBuffer(WarehouseColumn column) : ColumnBuffer(column, new DataField<string>(column.Name))
{
    private readonly List<string?> _texts = [];

    /// <summary>How many all texts have together.</summary>
    public long Characters { get; private set; }

    public void Add(string? text)
    {
        _texts.Add(text);
        Characters += text?.Length ?? 0;
    }

    public override void Add(JsonElement? value) => Add(value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text when Column.Type == WarehouseType.Text => TextOf(text),
        { } other => other.GetRawText(),
    });

    public override Task WriteAsync(ParquetRowGroupWriter writer, CancellationToken cancellationToken) => writer.WriteAsync(Field, _texts!);

    public override async Task AddAsync(ParquetRowGroupReader reader, DataField? theirs, int rows, CancellationToken cancellationToken)
    {
        var texts = new string?[rows];
        if (theirs is not null)
            await reader.ReadAsync(theirs, texts.AsMemory()!, cancellationToken: cancellationToken);
        foreach (var text in texts)
            Add(text);
    }

    /// <summary>Half of a surrogate pair is no text: it stays as it was written.</summary>
    private static string TextOf(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return text.GetRawText();
        }
    }
}
