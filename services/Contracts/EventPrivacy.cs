using System.Text.Json;

namespace Shop.Contracts;

/// <summary>
/// What of an event is not for everyone who may see the event: whoever stores or shows events as they were published asks here first.
/// </summary>
public static class EventPrivacy
{
    private const string PaymentHeldPrefix = "shop.payments.payment-held.";

    /// <summary>Members that only the event's consumer needs, and until it has acted: nobody keeps them.</summary>
    private static readonly byte[][] Secrets = ["paymentToken"u8.ToArray()];

    /// <summary>What a decision about a payment was based on: who is suspected is not told how to go unsuspected.</summary>
    private static readonly byte[][] Grounds = ["score"u8.ToArray(), "reasons"u8.ToArray(), "rules"u8.ToArray()];

    /// <summary>Whether a member of an event's data may be kept, by its JSON name.</summary>
    public static bool IsKept(string member)
    {
        ArgumentNullException.ThrowIfNull(member);
        return !Array.Exists(Secrets, secret => secret.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(member)));
    }

    /// <summary>The event's data as it may be kept.</summary>
    /// <param name="data">JSON, or whatever else was published; returned as it is where there is nothing in it to leave out.</param>
    public static byte[] ToKeep(byte[] data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Array.Exists(Secrets, secret => data.AsSpan().IndexOf(secret) >= 0) ? Without(data, Secrets) : data;
    }

    /// <summary>The event's data as the shopper whom it is about may see it.</summary>
    /// <param name="type">The event's CloudEvents type.</param>
    /// <param name="data">JSON.</param>
    public static string ToShopper(string type, string data)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.StartsWith(PaymentHeldPrefix, StringComparison.Ordinal)
            ? System.Text.Encoding.UTF8.GetString(Without(System.Text.Encoding.UTF8.GetBytes(data), Grounds))
            : data;
    }

    /// <summary>An object without some of its members, the others to the letter; what is no object stays as it is.</summary>
    private static byte[] Without(byte[] json, byte[][] names)
    {
        var reader = new Utf8JsonReader(json);
        var kept = new MemoryStream(json.Length);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return json;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                var isKept = !IsOneOf(ref reader, names);
                reader.Skip();
                if (!isKept)
                    continue;
                kept.WriteByte((byte)(kept.Length == 0 ? '{' : ','));
                kept.Write(json.AsSpan(start..(int)reader.BytesConsumed));
            }
        }
        catch (JsonException)
        {
            return json;
        }

        if (kept.Length == 0)
            kept.WriteByte((byte)'{');
        kept.WriteByte((byte)'}');
        return kept.ToArray();
    }

    private static bool IsOneOf(ref Utf8JsonReader name, byte[][] names)
    {
        try
        {
            foreach (var one in names)
            {
                if (name.ValueTextEquals(one))
                    return true;
            }
        }
        catch (InvalidOperationException)
        {
            // half of a surrogate pair is in it, and so it is none of them
        }

        return false;
    }
}
