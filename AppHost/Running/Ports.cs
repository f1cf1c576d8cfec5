using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Shop.AppHost.Running;

/// <summary>
/// Free TCP ports that stay free. Port 0 would give one from the ephemeral range, where any outgoing connection may take
/// it while its part is being restarted; these lie below that range (32768 on Linux, 49152 elsewhere).
/// </summary>
internal static class Ports
{
    private const int First = 12_000;
    private const int Last = 32_000;
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>A port on 127.0.0.1 that nobody listens on and that this process has not given out before.</summary>
    /// <exception cref="InvalidOperationException">No free port was found.</exception>
    public static int Free()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = Random.Shared.Next(First, Last);
            if (IsFree(port) && Given.TryAdd(port, true)) return port;
        }

        throw new InvalidOperationException($"No free TCP port between {First} and {Last} on 127.0.0.1.");
    }

    /// <summary>Whether a server could listen on the port of 127.0.0.1 now.</summary>
    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
