namespace Shop.ServiceDefaults;

/// <summary>How services hear from the gateway which browser a request came from.</summary>
public static class DeviceHeaders
{
    /// <summary>The header: set by the gateway alone, which strips it from what comes from outside.</summary>
    public const string DeviceId = "X-Device-Id";

    /// <summary>The most characters, all of them ASCII letters and digits.</summary>
    public const int MaxLength = 64;
}
