using Npgsql;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>An instance that can be killed and started again, behind proxies of its own by which it can lose its broker and its database.</summary>
public sealed class BreakableInventory : IAsyncDisposable
{
    private InventoryProcess? _process;

    private BreakableInventory(string name, string database, string kafka)
    {
        Name = name;
        Database = TcpProxy.ForPostgres(new NpgsqlConnectionStringBuilder(database) { ApplicationName = name }.ConnectionString);
        Kafka = TcpProxy.ForKafka(kafka);
    }

    /// <summary>What the database knows its sessions by: <c>application_name</c>.</summary>
    public string Name { get; }

    public TcpProxy Database { get; }

    public TcpProxy Kafka { get; }

    /// <summary>Starts it and returns when it is ready.</summary>
    public static async Task<BreakableInventory> StartAsync(string name, string database, string kafka)
    {
        var instance = new BreakableInventory(name, database, kafka);
        await instance.RestartAsync();
        return instance;
    }

    /// <summary>Kills it as a crash does, and starts it again.</summary>
    public async Task RestartAsync()
    {
        if (_process is { } running)
        {
            await running.KillAsync();
            await running.DisposeAsync();
        }
        _process = await InventoryProcess.StartAsync(Database.ConnectionString, Kafka.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        await Database.DisposeAsync();
        await Kafka.DisposeAsync();
    }
}
