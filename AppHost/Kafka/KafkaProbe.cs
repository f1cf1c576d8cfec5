using System.Buffers.Binary;
using System.Net.Sockets;

namespace Shop.AppHost.Kafka;

/// <summary>Asks a broker whether it answers, as a client's first request does.</summary>
internal static class KafkaProbe
{
    // ApiVersions, version 0 (https://kafka.apache.org/protocol): length, api key 18, version 0, correlation id 1, no client id.
    private static readonly byte[] ApiVersionsRequest = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

    /// <summary>Whether the broker at the port of 127.0.0.1 answers an ApiVersions request without an error.</summary>
    public static async Task<bool> IsReadyAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            var stream = client.GetStream();
            await stream.WriteAsync(ApiVersionsRequest, cancellationToken);
            var answer = new byte[10]; // length, correlation id, error code
            await stream.ReadExactlyAsync(answer, cancellationToken);
            return BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(8)) == 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
