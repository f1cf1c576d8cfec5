using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.Payments;

/// <summary>A payment's status at the provider, which says it by its name only.</summary>
[JsonConverter(typeof(ProviderStatusNames))]
public enum ProviderStatus
{
    /// <summary>The amount is held.</summary>
    Authorized,

    /// <summary>Refused; nothing is held.</summary>
    Declined,

    /// <summary>The amount was taken.</summary>
    Captured,

    /// <summary>Nothing is held, and an authorisation that comes later is refused.</summary>
    Voided,

    /// <summary>The amount was taken and given back.</summary>
    Refunded,

    /// <summary>What was asked for is refused for good; the payment is as it was.</summary>
    Refused,
}

/// <summary>Reads a <see cref="ProviderStatus"/>.</summary>
public sealed class ProviderStatusNames() : JsonStringEnumConverter<ProviderStatus>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>What the provider says of a payment.</summary>
/// <param name="Status">Its status.</param>
/// <param name="DeclineReason">Why it was declined, or what was asked for refused.</param>
public sealed record ProviderAnswer([property: JsonRequired] ProviderStatus Status, string? DeclineReason = null);
