using System.Security.Cryptography;
using Shop.ServiceDefaults;

namespace Shop.Gateway.RecognisingDevices;

/// <summary>
/// Gives every browser an id of its own, which Payments recognises it by. It is a cookie that scripts cannot read; services hear of it in a
/// header, which nobody outside can set.
/// </summary>
internal static class DeviceCookie
{
    private const string Name = "shop_device";
    private const int Bytes = 16;

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(400);

    /// <summary>To be used before whatever passes requests on.</summary>
    public static void UseDeviceCookie(this WebApplication app) => app.Use((context, next) =>
    {
        context.Request.Headers.Remove(DeviceHeaders.DeviceId);
        if (context.Request.Cookies[Name] is { Length: 2 * Bytes } device && device.All(char.IsAsciiHexDigitLower))
        {
            // only one that has come back is a device: a client that keeps no cookies would be a new one each time
            context.Request.Headers[DeviceHeaders.DeviceId] = device;
        }
        // not with pages and their files, which are anybody's, and which caches on the way may keep
        else if (context.Request.Path.StartsWithSegments("/api"))
        {
            context.Response.Cookies.Append(Name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)), new()
            {
                HttpOnly = true,
                Secure = context.Request.IsHttps,
                SameSite = SameSiteMode.Lax,
                IsEssential = true,
                MaxAge = Lifetime,
            });
        }
        return next(context);
    });
}
