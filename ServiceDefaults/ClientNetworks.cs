using System.Net;
using System.Net.Sockets;

namespace Shop.ServiceDefaults;

/// <summary>Whose requests are counted together where addresses are.</summary>
public static class ClientNetworks
{
    /// <summary>The network of an address: IPv6 gives each subscriber 2^64 addresses at the least (RFC 6177), which are one; an IPv4 address is its own.</summary>
    public static IPAddress NetworkOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return new(bytes);
    }
}
