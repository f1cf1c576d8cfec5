using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>
/// One client connection: reads frames, has each answered, and sends the answers in the order of the requests, one
/// request at a time, as Apache Kafka does. Answers to requests that came together leave together.
/// </summary>
internal sealed partial class Connection : IDisposable
{
    private const int InitialBuffer = 32 * 1024;
    private const int LargeBuffer = 256 * 1024;
    private const int FlushAt = 256 * 1024;
    private const int SmallestRequest = 8;

    /// <summary>The largest request but Produce, in bytes.</summary>
    private const int MaxControlRequest = 8 * 1024 * 1024;

    private readonly Socket _socket;
    private readonly Broker _broker;
    private readonly CancellationTokenSource _disconnected;
    private readonly Request _request;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _start;
    private int _end;
    private Task<int>? _receiving;

    /// <summary>Takes over an accepted socket.</summary>
    /// <exception cref="SocketException">The client has left already.</exception>
    public Connection(Socket socket, Broker broker, CancellationToken stopping)
    {
        (_socket, _broker) = (socket, broker);
        var client = ((IPEndPoint)socket.RemoteEndPoint!).Address;
        _disconnected = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _request = new(broker, $"/{(client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client)}", _disconnected.Token);
    }

    /// <summary>Serves the client until it leaves, misbehaves, or the broker stops. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            do
            {
                await ServeFramesAsync();
                await FlushAsync();
            }
            while (await ReceiveAsync());
        }
        catch (MalformedRequestException malformed)
        {
            LogMalformed(_broker.Logger, _request.ClientHost, _request.ClientId, _request.Key, _request.Version, malformed.Message);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the client left, or the broker stops
        }
        catch (Exception failure)
        {
            LogFailed(_broker.Logger, failure, _request.ClientHost, _request.ClientId, _request.Key, _request.Version);
        }
        finally
        {
            _socket.Dispose();
            if (_receiving is not null) // it writes into the buffer that is about to be returned
                await _receiving.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public void Dispose()
    {
        _disconnected.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        _request.Out.Dispose();
    }

    private async ValueTask ServeFramesAsync()
    {
        while (_end - _start >= 4)
        {
            var size = FrameSize();
            if (size > _end - _start - 4)
                return;
            await ServeAsync(_start + 4, size);
            _start += 4 + size;
            if (_request.Out.Length > FlushAt)
                await FlushAsync();
        }
    }

    private int FrameSize()
    {
        var size = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start));
        var produces = _end - _start < 6 || BinaryPrimitives.ReadInt16BigEndian(_buffer.AsSpan(_start + 4)) == (short)ApiKey.Produce;
        var largest = produces ? _broker.Options.MaxRequestBytes : Math.Min(MaxControlRequest, _broker.Options.MaxRequestBytes);
        return size >= SmallestRequest && size <= largest ? size
            : throw new MalformedRequestException($"a request of {size} bytes is announced; allowed are {SmallestRequest} to {largest}");
    }

    private async ValueTask ServeAsync(int start, int size)
    {
        var api = ReadHeader(start, size);
        var output = _request.Out;
        if (api is { MayWait: true })
            await FlushAsync();
        var frame = output.Length;
        output.Int32(0);
        output.Int32(_request.CorrelationId);
        _request.Answered = true;
        if (api is null)
        {
            ApiVersions.HandleUnknownVersion(_request);
        }
        else
        {
            if (api.Key != ApiKey.ApiVersions) // its answer's header never has tagged fields (KIP-511)
                output.TaggedFields();
            var handling = api.HandleAsync(_request);
            if (handling.IsCompleted)
                await handling;
            else
                await WaitAsync(handling.AsTask());
        }
        if (_request.Answered)
            output.Patch(frame, output.Length - frame - 4);
        else
            output.Truncate(frame);
    }

    /// <summary>Waits for an answer that is held back, and gives up when the client leaves meanwhile.</summary>
    private async ValueTask WaitAsync(Task handling)
    {
        if (_receiving is null && _end < _buffer.Length)
            _receiving = _socket.ReceiveAsync(_buffer.AsMemory(_end), _disconnected.Token).AsTask();
        if (_receiving is not null && await Task.WhenAny(handling, _receiving) == _receiving
            && (!_receiving.IsCompletedSuccessfully || _receiving.Result == 0))
            await _disconnected.CancelAsync();
        await handling;
    }

    /// <summary>Reads the request's header; null for ApiVersions in a version unknown here.</summary>
    private Api? ReadHeader(int start, int size)
    {
        var input = _request.In;
        input.Reset(_buffer, start, size);
        _request.Key = (ApiKey)input.Int16();
        _request.Version = input.Int16();
        _request.CorrelationId = input.Int32();
        _request.ClientId = "";
        if (!ApiTable.Apis.TryGetValue(_request.Key, out var api))
            throw new MalformedRequestException("this broker does not answer such requests");
        if (_request.Version < api.MinVersion || _request.Version > api.MaxVersion)
            return api.Key == ApiKey.ApiVersions ? null : throw new MalformedRequestException("this broker does not answer that version");
        _request.ClientId = input.NullableString() ?? "";
        input.Flexible = _request.Out.Flexible = _request.Version >= api.FlexibleFrom;
        input.TaggedFields();
        return api;
    }

    private async ValueTask FlushAsync()
    {
        var output = _request.Out;
        for (var left = output.Written; left.Length > 0;)
            left = left[await _socket.SendAsync(left, _disconnected.Token)..];
        output.Clear();
    }

    private async ValueTask<bool> ReceiveAsync()
    {
        int received;
        if (_receiving is null)
        {
            MakeRoom();
            received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), _disconnected.Token);
        }
        else
        {
            received = await _receiving; // begun while an answer was held back
            _receiving = null;
        }
        _end += received;
        return received > 0;
    }

    /// <summary>Makes room for more. The buffer grows with what has arrived, not with what a client announces.</summary>
    private void MakeRoom()
    {
        var held = _end - _start;
        var full = _end == _buffer.Length;
        var wanted = held == _buffer.Length || (full && _buffer.Length < LargeBuffer) ? _buffer.Length * 2
            : held == 0 && _buffer.Length > LargeBuffer && !full ? InitialBuffer
            : _buffer.Length;
        if (wanted != _buffer.Length)
        {
            var other = ArrayPool<byte>.Shared.Rent(wanted);
            _buffer.AsSpan(_start, held).CopyTo(other);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = other;
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
        }
        (_start, _end) = (0, held);
    }

    [LoggerMessage(EventName = "RequestRefused", Level = LogLevel.Warning, Message = "Closed the connection of {Client} ({ClientId}) after {Api} version {Version}: {Reason}")]
    private static partial void LogMalformed(ILogger logger, string client, string clientId, ApiKey api, short version, string reason);

    [LoggerMessage(EventName = "RequestFailed", Level = LogLevel.Error, Message = "Closed the connection of {Client} ({ClientId}) after {Api} version {Version} failed")]
    private static partial void LogFailed(ILogger logger, Exception failure, string client, string clientId, ApiKey api, short version);
}
