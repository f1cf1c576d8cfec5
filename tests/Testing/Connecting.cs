using System.Net.Sockets;

namespace Shop.Testing;

/// <summary>Whether anybody listens.</summary>
public static class Connecting
{
    /// <summary>Whether a connection to the address is refused.</summary>
    public static async Task<bool> IsRefusedAsync(Uri address, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address.Host, address.Port, cancellationToken);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
