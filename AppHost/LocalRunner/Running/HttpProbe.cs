using System.Net.Sockets;
using System.Text;

namespace Shop.LocalRunner.Running;

/// <summary>Asks an HTTP health check. By hand, because it is all of HTTP that the runner needs: HttpClient would be a third of its memory.</summary>
internal static class HttpProbe
{
    /// <summary>Whether a GET of the path on 127.0.0.1 is answered with the status code.</summary>
    public static async Task<bool> IsReadyAsync(int port, string path, int statusCode, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), cancellationToken);
            var statusLine = new byte["HTTP/1.1 200".Length];
            await stream.ReadExactlyAsync(statusLine, cancellationToken);
            return Encoding.ASCII.GetString(statusLine) == $"HTTP/1.1 {statusCode}";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
