using System.Text.RegularExpressions;
using System.Xml;

namespace Shop.Orders.SearchingOrders;

/// <summary>Durations of a fixed length, in ISO 8601's format with designators (section 5.5.2.2): days, hours, minutes and seconds.</summary>
public static partial class IsoDuration
{
    /// <summary>What is wrong with a text that <see cref="TryParse"/> does not take.</summary>
    public const string Expected = "Must be an ISO 8601 duration of days, hours, minutes and seconds, for example PT15M or P1DT12H; up to 99999 days.";

    /// <summary>Reads a duration; years and months are refused, because their length is anybody's guess.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (!Duration().IsMatch(text))
            return false;
        duration = XmlConvert.ToTimeSpan(text);
        return true;
    }

    // digits are bounded so that no sum overflows; a P or T must be followed by something
    [GeneratedRegex(@"\AP(?=[0-9T])(?:[0-9]{1,5}D)?(?:T(?=[0-9])(?:[0-9]{1,6}H)?(?:[0-9]{1,6}M)?(?:[0-9]{1,6}S)?)?\z")]
    private static partial Regex Duration();
}
