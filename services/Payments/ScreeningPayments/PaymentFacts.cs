using System.Security.Cryptography;
using System.Text;

namespace Shop.Payments.ScreeningPayments;

/// <summary>What a decision about a payment may look at. What is not known is null, and no rule counts it against the payment.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="At">When it was requested: all windows are in this time, not in the time of the one who screens.</param>
/// <param name="Shopper">Who pays.</param>
/// <param name="Card">The card, by whatever tells it from others; never its number.</param>
/// <param name="Device">The browser or app.</param>
/// <param name="Address">A hash of the normalised address.</param>
/// <param name="Country">ISO 3166-1 alpha-2 code of where it is sent.</param>
/// <param name="Amount">In the major unit of <paramref name="Currency"/>.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="FirstOrderAt">When the shopper first ordered; null where this is the first order.</param>
public sealed record PaymentFacts(
    Guid PaymentId, DateTimeOffset At, string Shopper, string Card, string? Device, string? Address, string? Country,
    decimal Amount, string Currency, DateTimeOffset? FirstOrderAt);

/// <summary>Under which the histories of a payment's card, shopper, device and address are kept: digests, which tell nobody what they are of.</summary>
/// <param name="Card">The card's.</param>
/// <param name="Shopper">The shopper's.</param>
/// <param name="Device">The device's; null where it is not known.</param>
/// <param name="Address">The address's; null where it is not known.</param>
public readonly record struct HistoryKeys(Guid Card, Guid Shopper, Guid? Device, Guid? Address)
{
    /// <summary>The keys of a payment.</summary>
    public static HistoryKeys Of(PaymentFacts facts) => new(
        Digest("card", facts.Card), OfShopper(facts.Shopper),
        facts.Device is { } device ? Digest("device", device) : null, facts.Address is { } address ? Digest("address", address) : null);

    /// <summary>The key of a shopper.</summary>
    public static Guid OfShopper(string shopper) => Digest("shopper", shopper);

    /// <summary>The key of what is usual in a currency, as one partition's payments have it: each is handled by one instance at a time.</summary>
    internal static Guid OfAmounts(string currency, int partition) => Digest("amounts", $"{currency} {partition}");

    /// <summary>All keys that there are.</summary>
    public IEnumerable<Guid> All()
    {
        yield return Card;
        yield return Shopper;
        if (Device is { } device)
            yield return device;
        if (Address is { } address)
            yield return address;
    }

    /// <summary>Few bytes of a key, to tell it from the others within one history; 0 where there is none.</summary>
    internal static uint Short(Guid? key) => key is { } known ? BitConverter.ToUInt32(known.ToByteArray()) | 1 : 0;

    /// <summary>Few bytes of a payment's id: of the random ones, since the first of a UUIDv7 are the time, the same for a minute (RFC 9562, section 5.7).</summary>
    internal static uint ShortOfPayment(Guid paymentId) => BitConverter.ToUInt32(paymentId.ToByteArray(), 12);

    private static Guid Digest(string kind, string value)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{value}"), digest);
        return new(digest[..16]);
    }
}
