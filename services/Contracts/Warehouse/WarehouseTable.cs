using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace Shop.Contracts.Warehouse;

/// <summary>What a column of the warehouse holds.</summary>
public enum WarehouseType
{
    /// <summary>Text; ids are text too.</summary>
    Text,

    /// <summary>JSON as text: lists and what is nested deeper.</summary>
    Json,

    /// <summary>A number of 32 bits.</summary>
    Integer,

    /// <summary>A number of 64 bits.</summary>
    Long,

    /// <summary>A floating-point number of 64 bits.</summary>
    Double,

    /// <summary>An amount, with 18 digits, four of them behind the point.</summary>
    Decimal,

    /// <summary>Yes or no.</summary>
    Boolean,

    /// <summary>A moment, in UTC, with microseconds.</summary>
    Timestamp,
}

/// <summary>A column of a topic's table.</summary>
/// <param name="Name">Its name, in snake case.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Path">Where it is in the event's data, by JSON names; empty for what every event has.</param>
public sealed record WarehouseColumn(string Name, WarehouseType Type, params IReadOnlyList<string> Path);

/// <summary>
/// How the events of a topic lie in the warehouse: what every record has, and the fields of the topic's events as columns of their own, which are
/// null for events that have them not. Columns are only ever added: files that were written before are read with nulls.
/// </summary>
public sealed class WarehouseTable
{
    /// <summary>Digits of amounts, and how many of them are behind the point: no currency has more than four.</summary>
    public const int DecimalPrecision = 18, DecimalScale = 4;

    /// <summary>What every record has.</summary>
    public static readonly IReadOnlyList<WarehouseColumn> Envelope =
    [
        new("topic", WarehouseType.Text),
        new("partition", WarehouseType.Integer),
        new("offset", WarehouseType.Long),
        new("key", WarehouseType.Text),
        new("id", WarehouseType.Text),
        new("type", WarehouseType.Text),
        new("time", WarehouseType.Timestamp),
        new("source", WarehouseType.Text),
        new("cause", WarehouseType.Text),
        new("traceparent", WarehouseType.Text),
        new("data", WarehouseType.Json),
        // CloudEvents' subject, where it is not the key; events have a field "subject" of their own
        new("ce_subject", WarehouseType.Text),
        // the record's value was no JSON: data is its text as a JSON string
        new("malformed", WarehouseType.Boolean),
    ];

    /// <summary>By which files are divided: the UTC date and hour in which records were written to their topic.</summary>
    public const string DatePartition = "date", HourPartition = "hour";

    private static readonly Dictionary<string, WarehouseTable> Tables = Topics.All.ToDictionary(topic => topic.Name, topic => new WarehouseTable(topic));

    private WarehouseTable(Topic topic)
    {
        Topic = topic;
        var fields = new List<WarehouseColumn>();
        foreach (var type in topic.Events)
            AddFields(fields, type.Json, [], "");
        Columns = [.. Envelope, .. fields];
    }

    /// <summary>The topic.</summary>
    public Topic Topic { get; }

    /// <summary>The table's name: the topic's, as SQL takes it.</summary>
    public string Name => Topic.Name.Replace('-', '_');

    /// <summary>All columns; those of <see cref="Envelope"/> come first.</summary>
    public IReadOnlyList<WarehouseColumn> Columns { get; }

    /// <summary>The tables of all topics.</summary>
    public static IReadOnlyCollection<WarehouseTable> All => Tables.Values;

    /// <summary>A topic's table.</summary>
    /// <exception cref="KeyNotFoundException">It is no topic of the shop.</exception>
    public static WarehouseTable Of(string topic) => Tables[topic];

    private static void AddFields(List<WarehouseColumn> columns, JsonTypeInfo json, string[] path, string prefix)
    {
        foreach (var property in json.Properties.Where(property => EventPrivacy.IsKept(property.Name)))
        {
            string[] here = [.. path, property.Name];
            // an amount's amount is the amount
            var name = prefix == $"{SnakeCase(property.Name)}_" ? SnakeCase(property.Name) : prefix + SnakeCase(property.Name);
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (TypeOf(type) is { } scalar)
                Add(columns, new(name, scalar, here));
            else if (ContractsJson.Default.GetTypeInfo(type) is { Kind: JsonTypeInfoKind.Object } nested)
                AddFields(columns, nested, here, $"{name}_");
            else
                Add(columns, new(name, WarehouseType.Json, here));
        }
    }

    /// <summary>Events that share a field share its column; where they disagree about its type it is text.</summary>
    private static void Add(List<WarehouseColumn> columns, WarehouseColumn column)
    {
        if (Envelope.Any(known => known.Name == column.Name) || column.Name is DatePartition or HourPartition)
            column = column with { Name = $"event_{column.Name}" };
        var known = columns.FindIndex(other => other.Name == column.Name);
        if (known < 0)
            columns.Add(column);
        else if (columns[known].Type != column.Type)
            columns[known] = columns[known] with { Type = WarehouseType.Text };
    }

    private static WarehouseType? TypeOf(Type type) => type switch
    {
        _ when type == typeof(string) || type == typeof(Guid) => WarehouseType.Text,
        _ when type == typeof(int) => WarehouseType.Integer,
        _ when type == typeof(long) => WarehouseType.Long,
        _ when type == typeof(double) => WarehouseType.Double,
        _ when type == typeof(decimal) => WarehouseType.Decimal,
        _ when type == typeof(bool) => WarehouseType.Boolean,
        _ when type == typeof(DateTimeOffset) => WarehouseType.Timestamp,
        _ => null,
    };

    private static string SnakeCase(string name)
    {
        var snake = new StringBuilder(name.Length + 8);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && snake.Length > 0)
                snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }
        return snake.ToString();
    }
}
