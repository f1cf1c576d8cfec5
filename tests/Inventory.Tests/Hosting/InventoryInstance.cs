using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Shop.Testing;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>One instance of the service, with its own Program.cs, on Kestrel and a port of its own.</summary>
public sealed class InventoryInstance : InventoryApi, IAsyncDisposable
{
    private readonly Factory _factory;

    public InventoryInstance(string database, string kafka, int alarmMegabytes = RunningInventory.AlarmMegabytes, params (string Name, string Value)[] settings)
    {
        _factory = new(database, kafka, alarmMegabytes, settings);
        _factory.UseKestrel();
        _factory.StartServer();
        Client = _factory.CreateClient();
    }

    public override HttpClient Client { get; }

    /// <summary>The service's own container.</summary>
    public IServiceProvider Services => _factory.Services;

    public ValueTask DisposeAsync() => _factory.DisposeAsync();

    private sealed class Factory(string database, string kafka, int alarmMegabytes, (string Name, string Value)[] settings) : WebApplicationFactory<InventoryDb>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
            builder.UseSetting("urls", "http://127.0.0.1:0");
            builder.UseSetting("ConnectionStrings:inventory", database);
            builder.UseSetting("ConnectionStrings:kafka", kafka);
            builder.UseSetting("Authentication:SigningKey", TestTokens.SigningKey);
            builder.UseEnvironment("Development");
            builder.UseSetting("ChangeCapture:AlarmMegabytes", $"{alarmMegabytes}");
            builder.UseSetting("Logging:LogLevel:Default", "Error");
            foreach (var (name, value) in settings)
                builder.UseSetting(name, value);
        }
    }
}
