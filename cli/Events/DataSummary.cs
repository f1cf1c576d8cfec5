using System.Text;
using System.Text.Json;

namespace Shop.Cli.Events;

/// <summary>What an event says, in a few words: <c>total=19.00 EUR lines=2×mug-blue</c>.</summary>
/// <remarks>It goes by the data's form and not by its type, so that events which this program has never heard of read as well.</remarks>
internal static class DataSummary
{
    private const int TextLength = 48, Items = 4, Fields = 16, Depth = 3;

    /// <summary>The fields of <paramref name="data"/>.</summary>
    /// <param name="data">The event's data.</param>
    /// <param name="key">The record's key, which need not be told again.</param>
    public static string Of(JsonElement data, string? key)
    {
        if (data.ValueKind != JsonValueKind.Object)
            return Value(data, depth: 0);
        // what is short and tells most comes first, where a narrow terminal has room for it
        var fields = data.EnumerateObject().Where(field => !(field.Value.ValueKind == JsonValueKind.String && field.Value.ValueEquals(key)))
            .OrderBy(field => IsPlainObject(field.Value) ? 1 : 0);
        return Joined(fields, " ", depth: 0);
    }

    private static string Value(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.String => Legible.ShortText(value.GetString()!, TextLength),
        JsonValueKind.Array when depth < Depth => List(value, depth),
        JsonValueKind.Array => "[…]",
        JsonValueKind.Object when Money(value) is { } money => money,
        JsonValueKind.Object when Pieces(value) is { } pieces => pieces,
        JsonValueKind.Object when depth < Depth => $"{{{Joined(value.EnumerateObject(), ", ", depth + 1)}}}",
        JsonValueKind.Object => "{…}",
        _ => Legible.Text(value.GetRawText(), TextLength),
    };

    private static string Joined(IEnumerable<JsonProperty> fields, string separator, int depth)
    {
        var text = new StringBuilder();
        var count = 0;
        foreach (var field in fields)
        {
            if (count++ > 0)
                text.Append(separator);
            if (count > Fields)
                return text.Append('…').ToString();
            text.Append(Legible.Text(field.Name, TextLength)).Append('=').Append(Value(field.Value, depth));
        }
        return text.ToString();
    }

    private static string List(JsonElement list, int depth)
    {
        var items = list.EnumerateArray().Take(Items).Select(item => Value(item, depth + 1));
        var more = list.GetArrayLength() - Items;
        return (more > 0 ? string.Join(',', items) + $",+{more}" : string.Join(',', items)) is { Length: > 0 } text ? text : "[]";
    }

    private static bool IsPlainObject(JsonElement value) => value.ValueKind == JsonValueKind.Object && Money(value) is null;

    /// <summary>Contracts' Money.</summary>
    private static string? Money(JsonElement value) =>
        value.TryGetProperty("amount", out var amount) && amount.ValueKind == JsonValueKind.Number
        && value.TryGetProperty("currency", out var currency) && currency.ValueKind == JsonValueKind.String
            ? $"{Legible.Text(amount.GetRawText(), TextLength)} {Legible.Text(currency.GetString()!, TextLength)}"
            : null;

    /// <summary>A line of an order or of a reservation.</summary>
    private static string? Pieces(JsonElement value) =>
        value.TryGetProperty("sku", out var sku) && sku.ValueKind == JsonValueKind.String
        && value.TryGetProperty("quantity", out var quantity) && quantity.ValueKind == JsonValueKind.Number
            ? $"{Legible.Text(quantity.GetRawText(), TextLength)}×{Legible.Text(sku.GetString()!, TextLength)}"
            : null;
}
