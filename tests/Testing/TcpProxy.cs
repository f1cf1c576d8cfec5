using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Shop.Testing;

/// <summary>
/// Stands on loopback between clients and a server, and breaks what goes through it when a test says so. Each instance of a
/// service takes a proxy of its own, so that one can lose its broker or database while the others keep theirs.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private static readonly byte[] Loopback = "127.0.0.1"u8.ToArray();

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint _server;
    private readonly bool _speaksKafka;
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly Task _accepting;
    private TaskCompletionSource? _stalled;
    private bool _cut;
    private long _bytesToClients;

    private TcpProxy(int serverPort, bool speaksKafka)
    {
        _server = new(IPAddress.Loopback, serverPort);
        _speaksKafka = speaksKafka;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>What a client takes in place of the server's own connection string.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The bytes that were passed on from the server so far.</summary>
    public long BytesToClients => Interlocked.Read(ref _bytesToClients);

    private int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>A proxy before a PostgreSQL server on loopback.</summary>
    /// <param name="connectionString">The server's (Npgsql).</param>
    public static TcpProxy ForPostgres(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var proxy = new TcpProxy(settings.Port, speaksKafka: false);
        settings.Port = proxy.Port;
        proxy.ConnectionString = settings.ConnectionString;
        return proxy;
    }

    /// <summary>
    /// A proxy before a broker on loopback. A broker tells its clients where to connect, so the proxy writes its own port into
    /// the broker's answers: any number of proxies can stand before one broker, which need not know of them.
    /// </summary>
    /// <param name="bootstrapServers">The broker's, of the form <c>127.0.0.1:port</c>.</param>
    public static TcpProxy ForKafka(string bootstrapServers)
    {
        var proxy = new TcpProxy(IPEndPoint.Parse(bootstrapServers).Port, speaksKafka: true);
        proxy.ConnectionString = $"127.0.0.1:{proxy.Port}";
        return proxy;
    }

    /// <summary>Resets every connection, and each new one as soon as it is made: to the client the server is down.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _cut = true;
            foreach (var socket in _sockets)
                socket.Close(timeout: 0);
            _sockets.Clear();
        }
    }

    /// <summary>Holds back everything in both directions; connections stay open, as with a network or a machine that hangs.</summary>
    public void Stall()
    {
        lock (_lock)
            _stalled ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Ends a cut or a stall; what was held back is passed on.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _cut = false;
            _stalled?.SetResult();
            _stalled = null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // in this order: what is held back must not arrive in the end
        Cut();
        Resume();
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await _listener.AcceptAsync();
                client.NoDelay = true;
                _ = ServeAsync(client);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (!Track(client) || !Track(server))
                return;
            await server.ConnectAsync(_server);
            await Task.WhenAll(PassAsync(client, server), _speaksKafka ? PassAnswersAsync(server, client) : PassAsync(server, client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or EndOfStreamException)
        {
            // one end is gone, so the other goes too
        }
        finally
        {
            lock (_lock)
            {
                _sockets.Remove(client);
                _sockets.Remove(server);
            }
            client.Close(timeout: 0);
            server.Close(timeout: 0);
        }
    }

    private bool Track(Socket socket)
    {
        lock (_lock)
            return !_cut && _sockets.Add(socket);
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var count = await from.ReceiveAsync(buffer);
            await SendAsync(to, buffer.AsMemory(0, count), toClient: !_speaksKafka && from.RemoteEndPoint!.Equals(_server));
            if (count == 0)
                throw new EndOfStreamException();
        }
    }

    /// <summary>Passes the broker's answers on, one at a time: a length of four bytes, then as many bytes.</summary>
    private async Task PassAnswersAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            await ReceiveExactlyAsync(from, buffer.AsMemory(0, 4));
            var length = BinaryPrimitives.ReadInt32BigEndian(buffer) + 4;
            if (length > buffer.Length)
                Array.Resize(ref buffer, length);
            await ReceiveExactlyAsync(from, buffer.AsMemory(4, length - 4));
            Readdress(buffer.AsSpan(0, length));
            await SendAsync(to, buffer.AsMemory(0, length), toClient: true);
        }
    }

    /// <summary>In every version of the answers that name brokers (Metadata, FindCoordinator) the port, an INT32, follows the host's text.</summary>
    private void Readdress(Span<byte> answer)
    {
        Span<byte> address = [.. Loopback, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(address[Loopback.Length..], _server.Port);
        for (var at = answer.IndexOf(address); at >= 0; at = answer.IndexOf(address))
            BinaryPrimitives.WriteInt32BigEndian(answer[(at + Loopback.Length)..], Port);
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, bool toClient)
    {
        Task? stalled;
        lock (_lock)
            stalled = _stalled?.Task;
        if (stalled is not null)
            await stalled;
        while (bytes.Length > 0)
        {
            var sent = await to.SendAsync(bytes);
            bytes = bytes[sent..];
            if (toClient)
                Interlocked.Add(ref _bytesToClients, sent);
        }
    }

    private static async Task ReceiveExactlyAsync(Socket from, Memory<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var count = await from.ReceiveAsync(buffer);
            buffer = count > 0 ? buffer[count..] : throw new EndOfStreamException();
        }
    }
}
