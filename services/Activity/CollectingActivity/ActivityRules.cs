using System.Text.Json;
using Shop.Contracts;
using Shop.ServiceDefaults;

namespace Shop.Activity.CollectingActivity;

/// <summary>Makes events of what a page sent, or says what is wrong with it.</summary>
internal static class ActivityRules
{
    public const int LongestText = 200, MostPieces = 1000;

    /// <summary>The event that an item tells of.</summary>
    /// <param name="item">For example <c>{"type":"ProductViewed","sku":"mug-blue"}</c>; members that its type has not are passed over.</param>
    /// <param name="visitor">Who did it.</param>
    /// <returns>The event, or why there is none.</returns>
    public static (object? Event, string? Reason) Read(JsonElement item, Guid visitor)
    {
        if (item.ValueKind != JsonValueKind.Object)
            return (null, "Must be an object.");
        if (TextOf(item, "type") is not { } type)
            return (null, "type: is missing or no text.");
        var sku = TextOf(item, "sku");
        var search = TextOf(item, "search");
        return type switch
        {
            nameof(ProductViewed) => sku is null ? (null, Wrong("sku")) : (new ProductViewed(visitor, sku), null),
            nameof(ProductSearched) => search is null ? (null, Wrong("search")) : (new ProductSearched(visitor, search), null),
            nameof(CartChanged) => sku is null ? (null, Wrong("sku"))
                : item.TryGetProperty("quantity", out var quantity) && quantity.ValueKind == JsonValueKind.Number && quantity.TryGetInt32(out var pieces) && pieces is >= 0 and <= MostPieces
                    ? (new CartChanged(visitor, sku, pieces), null)
                    : (null, $"quantity: must be 0 to {MostPieces}."),
            nameof(CheckoutStarted) => (new CheckoutStarted(visitor), null),
            _ => (null, $"type: must be {nameof(ProductViewed)}, {nameof(ProductSearched)}, {nameof(CartChanged)} or {nameof(CheckoutStarted)}."),
        };
    }

    private static string Wrong(string member) => $"{member}: must be a text of 1 to {LongestText} characters, without control characters and what looks like a card number.";

    private static string? TextOf(JsonElement item, string member)
    {
        if (!item.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return value.GetString() is { Length: > 0 and <= LongestText } text && !text.Any(char.IsControl) && !string.IsNullOrWhiteSpace(text) && !CardNumbers.IsIn(text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            // half of a surrogate pair
            return null;
        }
    }
}
