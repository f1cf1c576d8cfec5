using Microsoft.Extensions.Configuration;

namespace Shop.ServiceDefaults;

/// <summary>Settings without which a service does not start, and says so.</summary>
public static class RequiredSettings
{
    /// <summary>What <paramref name="read"/> makes of the setting <paramref name="name"/>.</summary>
    /// <param name="configuration">The service's configuration.</param>
    /// <param name="name">The setting, for example <c>PaymentTokens:PublicKey</c>.</param>
    /// <param name="read">Makes something of its text.</param>
    /// <exception cref="InvalidOperationException">It is missing, or nothing can be made of it; the message names it, and not what it is.</exception>
    public static T GetRequired<T>(this IConfiguration configuration, string name, Func<string, T> read)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(read);

        var variable = name.Replace(":", "__", StringComparison.Ordinal);
        if (configuration[name] is not { Length: > 0 } text)
            throw new InvalidOperationException($"The setting '{name}' is missing ({variable})");
        try
        {
            return read(text);
        }
        catch (Exception e) when (e is FormatException or System.Security.Cryptography.CryptographicException)
        {
            throw new InvalidOperationException($"The setting '{name}' ({variable}) is not what it should be: {e.Message}", e);
        }
    }
}
