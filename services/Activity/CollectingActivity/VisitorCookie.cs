using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Shop.Activity.CollectingActivity;

/// <summary>
/// Knows a browser again by a cookie that only the shop can make: an id and its HMAC-SHA256, cut to 128 bits (RFC 2104, section 5). It holds
/// nothing about a person, and is of no use for anything but this.
/// </summary>
internal sealed class VisitorCookie(byte[] key)
{
    /// <summary>The setting with the key, in base64: the same for all instances.</summary>
    public const string KeySetting = "Visitors:CookieKey";

    public const string Name = "visitor";

    private const int ShortestKey = 32, SignatureBytes = 16;

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(365);

    /// <summary>Reads the key.</summary>
    /// <exception cref="FormatException">It is not base64, or shorter than 32 bytes.</exception>
    public static VisitorCookie WithKey(string base64) =>
        Convert.FromBase64String(base64) is { Length: >= ShortestKey } key ? new(key) : throw new FormatException($"it must have {ShortestKey} bytes at least");

    /// <summary>The visitor of a request; a new one, who gets the cookie, where it brings none that the shop has made.</summary>
    public Guid VisitorOf(HttpContext context, DateTimeOffset now)
    {
        if (context.Request.Cookies.TryGetValue(Name, out var value) && TryRead(value, out var visitor))
            return visitor;
        visitor = Guid.CreateVersion7(now);
        context.Response.Cookies.Append(Name, Write(visitor), new()
        {
            HttpOnly = true,
            IsEssential = true,
            MaxAge = Lifetime,
            Path = CollectActivityEndpoint.Path,
            SameSite = SameSiteMode.Lax,
            // the gateway says how it was asked; nothing is trusted but to make the cookie stricter
            Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"] == Uri.UriSchemeHttps,
        });
        return visitor;
    }

    /// <summary>A visitor's cookie.</summary>
    public string Write(Guid visitor) => $"{visitor:N}.{Base64Url.EncodeToString(Sign(visitor))}";

    /// <summary>Reads a cookie; false where the shop has not made it.</summary>
    public bool TryRead(string value, out Guid visitor)
    {
        visitor = default;
        return value.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && Guid.TryParseExact(value.AsSpan(0, dot), "N", out visitor)
            && Base64Url.IsValid(value.AsSpan(dot + 1))
            && CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(value.AsSpan(dot + 1)), Sign(visitor));
    }

    private byte[] Sign(Guid visitor) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(visitor.ToString("N")))[..SignatureBytes];
}
