using System.Text.RegularExpressions;

namespace Shop.Cli.Events;

/// <summary>An event's name as the code has it: <c>OrderSubmitted</c> of <c>shop.orders.order-submitted.v1</c>.</summary>
internal static partial class EventName
{
    /// <summary>The name; its version where it is not the first, and the whole type where it is not one of the shop's.</summary>
    public static string Of(string type)
    {
        if (ShopType().Match(type) is not { Success: true } match)
            return type;
        var name = string.Concat(match.Groups["name"].Value.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
        return match.Groups["version"].Value is "1" ? name : $"{name}.v{match.Groups["version"].Value}";
    }

    [GeneratedRegex(@"^shop\.[a-z-]+\.(?<name>[a-z0-9]+(-[a-z0-9]+)*)\.v(?<version>[0-9]{1,4})\z")]
    private static partial Regex ShopType();
}
