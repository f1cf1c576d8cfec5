using System.Buffers.Binary;
using System.Net.Sockets;

namespace Shop.KafkaBroker.Tests;

/// <summary>A client that speaks the protocol by hand, for what real clients never send, or hide.</summary>
internal sealed class WireClient : IAsyncDisposable
{
    private readonly TcpClient _tcp = new();
    private int _correlationId;

    public static async Task<WireClient> ConnectAsync(string bootstrapServers)
    {
        var client = new WireClient();
        await client._tcp.ConnectAsync("127.0.0.1", int.Parse(bootstrapServers.Split(':')[1]));
        client._tcp.NoDelay = true;
        return client;
    }

    /// <summary>One request as it goes over the wire, its length first.</summary>
    public static byte[] Frame(ApiKey key, short version, Action<ResponseWriter> body, int correlationId = 0)
    {
        using var writer = new ResponseWriter();
        writer.Int32(0);
        writer.Int16((short)key);
        writer.Int16(version);
        writer.Int32(correlationId);
        writer.String("wire");
        writer.Flexible = version >= ApiTable.Apis[key].FlexibleFrom;
        writer.TaggedFields();
        body(writer);
        writer.Patch(0, writer.Length - 4);
        return writer.Written.ToArray();
    }

    /// <summary>Sends a request and reads its answer, after the answer's header.</summary>
    public async Task<RequestReader> SendAsync(ApiKey key, short version, Action<ResponseWriter> body)
    {
        await SendOnlyAsync(key, version, body);
        return await ReceiveAsync(key, version);
    }

    /// <summary>Produces a batch to a topic's first partition.</summary>
    public async Task<(ErrorCode Error, long Offset)> ProduceAsync(string topic, byte[] batch, short version = 7)
    {
        var answer = await SendAsync(ApiKey.Produce, version, w =>
        {
            w.String(null);
            w.Int16(-1);
            w.Int32(1000);
            w.ArrayLength(1);
            w.String(topic);
            w.ArrayLength(1);
            w.Int32(0);
            w.Bytes(batch);
        });
        answer.ArrayLength(0);
        answer.String();
        answer.ArrayLength(0);
        answer.Int32();
        return ((ErrorCode)answer.Int16(), answer.Int64());
    }

    public async Task SendOnlyAsync(ApiKey key, short version, Action<ResponseWriter> body) =>
        await _tcp.GetStream().WriteAsync(Frame(key, version, body, ++_correlationId));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => await _tcp.GetStream().WriteAsync(bytes);

    /// <summary>Reads one answer; throws when the broker closed the connection.</summary>
    public async Task<RequestReader> ReceiveAsync(ApiKey key, short version)
    {
        var answer = await ReceiveFrameAsync(TimeSpan.FromMinutes(1)) ?? throw new EndOfStreamException("the broker closed the connection");
        var reader = new RequestReader();
        reader.Reset(answer, 0, answer.Length);
        reader.Int32();
        reader.Flexible = version >= ApiTable.Apis[key].FlexibleFrom;
        if (key != ApiKey.ApiVersions)
            reader.TaggedFields();
        return reader;
    }

    /// <summary>Reads one frame; null when the broker closed the connection.</summary>
    public async Task<byte[]?> ReceiveFrameAsync(TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            var size = new byte[4];
            await _tcp.GetStream().ReadExactlyAsync(size, deadline.Token);
            var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
            await _tcp.GetStream().ReadExactlyAsync(frame, deadline.Token);
            return frame;
        }
        catch (Exception closed) when (closed is EndOfStreamException or IOException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }
}
