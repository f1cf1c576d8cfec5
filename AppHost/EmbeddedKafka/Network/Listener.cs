using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>Accepts connections on one port, on both loopback addresses unless told otherwise, and serves each on its own.</summary>
internal sealed partial class Listener : IAsyncDisposable
{
    private readonly Broker _broker;
    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _accepting = [];
    private readonly ConcurrentDictionary<Socket, Task> _connections = [];
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Starts to listen.</summary>
    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public Listener(Broker broker)
    {
        _broker = broker;
        var options = broker.Options;
        _sockets.Add(Listen(options.ListenAddress ?? IPAddress.Loopback, options.Port));
        broker.Port = ((IPEndPoint)_sockets[0].LocalEndPoint!).Port;
        if (options.ListenAddress is null && Socket.OSSupportsIPv6)
            ListenToo(IPAddress.IPv6Loopback, broker.Port);
        foreach (var socket in _sockets)
            _accepting.Add(AcceptAsync(socket));
    }

    /// <summary>Closes every connection and waits until nothing runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        foreach (var socket in _sockets)
            socket.Dispose();
        await Task.WhenAll(_accepting);
        await Task.WhenAll(_connections.Values);
        _stopping.Dispose();
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Equals(IPAddress.IPv6Any);
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(512);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary><c>localhost</c> is ::1 to many clients; without IPv6, or with the port taken there, 127.0.0.1 has to do.</summary>
    private void ListenToo(IPAddress address, int port)
    {
        try
        {
            _sockets.Add(Listen(address, port));
        }
        catch (SocketException failure)
        {
            LogOneAddress(_broker.Logger, failure.Message);
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await listening.AcceptAsync(_stopping.Token);
                Serve(socket);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException failure) when (!_stopping.IsCancellationRequested)
            {
                LogAcceptFailed(_broker.Logger, failure.Message); // a client that left before it was accepted, or no more file descriptors
                await Task.Delay(TimeSpan.FromMilliseconds(10), _broker.Options.TimeProvider);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Serve(Socket socket)
    {
        if (_connections.Count >= _broker.Options.MaxConnections)
        {
            LogTooMany(_broker.Logger, _broker.Options.MaxConnections);
            socket.Dispose();
            return;
        }
        socket.NoDelay = true;
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[socket] = served.Task;
        _ = ServeAsync(socket, served);
    }

    private async Task ServeAsync(Socket socket, TaskCompletionSource served)
    {
        await Task.Yield();
        try
        {
            using var connection = new Connection(socket, _broker, _stopping.Token);
            await connection.RunAsync();
        }
        catch (SocketException)
        {
            socket.Dispose(); // the client left before its address was known
        }
        finally
        {
            _connections.TryRemove(socket, out _);
            served.SetResult();
        }
    }

    [LoggerMessage(EventName = "OneAddressOnly", Level = LogLevel.Information, Message = "Listening on 127.0.0.1 only: {Reason}")]
    private static partial void LogOneAddress(ILogger logger, string reason);

    [LoggerMessage(EventName = "AcceptFailed", Level = LogLevel.Warning, Message = "Accepting a connection failed: {Reason}")]
    private static partial void LogAcceptFailed(ILogger logger, string reason);

    [LoggerMessage(EventName = "TooManyConnections", Level = LogLevel.Warning, Message = "Refused a connection: there are {Limit} already")]
    private static partial void LogTooMany(ILogger logger, int limit);
}
