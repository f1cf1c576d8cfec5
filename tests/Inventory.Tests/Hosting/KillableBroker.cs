using Shop.AppHost.Kafka;
using Shop.AppHost.Running;
using Shop.Testing;
using Shop.Testing.Processes;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>A broker as a process of its own, that can be killed and comes back at its port with what it had written.</summary>
public sealed class KillableBroker : IAsyncDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"shop-killable-{Guid.CreateVersion7():N}");
    private readonly int _port = Ports.Free();
    private readonly string[] _command;
    private readonly ProcessGuard _guard;
    private ChildProcess? _process;

    private KillableBroker(Broker broker)
    {
        _command = broker == Broker.Apache
            ? ["/bin/sh", .. ApacheKafkaNode.Run(ApacheKafka.Home!, _directory, _port, Ports.Free())]
            : ["dotnet", Path.Combine(AppContext.BaseDirectory, "EmbeddedKafka.dll"), "--data", _directory, "--port", $"{_port}"];
        _guard = ProcessGuard.Start(_directory, _directory);
    }

    /// <summary>The connection string <c>kafka</c>.</summary>
    public string BootstrapServers => $"127.0.0.1:{_port}";

    /// <summary>Starts a broker of that kind and returns when it answers.</summary>
    public static async Task<KillableBroker> StartAsync(Broker broker)
    {
        var killable = new KillableBroker(broker);
        await killable.StartAsync();
        return killable;
    }

    /// <summary>Kills it with SIGKILL, starts it again and returns when it answers.</summary>
    public async Task RestartAsync()
    {
        await _process!.DisposeAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        await _guard.DisposeAsync();
    }

    private async Task StartAsync()
    {
        _process = ChildProcess.Start(new(_command[0], _command[1..]), _directory, _ => { });
        await Eventually.BecomesTrueAsync(async () => _process.Exited.IsCompleted
            ? throw new InvalidOperationException($"The broker has ended with {await _process.Exited}")
            : await KafkaProbe.IsReadyAsync(_port, TestContext.Current.CancellationToken), TimeSpan.FromMinutes(10));
    }
}
