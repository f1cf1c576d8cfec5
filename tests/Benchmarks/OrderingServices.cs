using System.Globalization;
using Npgsql;
using Shop.AppHost.Running;
using Shop.Benchmarks.Broker;
using Shop.Testing;

namespace Shop.Benchmarks;

/// <summary>What an order needs until it is confirmed: Orders, Inventory, Payments and the payment provider as processes, one of each, with products <c>bench-0</c> and so on.</summary>
internal sealed class OrderingServices : IAsyncDisposable
{
    private readonly List<ServiceProcess> _others = [];

    private OrderingServices(ServiceProcess inventory, string inventoryUrl, string ordersUrl, NpgsqlDataSource database) =>
        (Inventory, InventoryUrl, OrdersUrl, InventoryDatabase) = (inventory, inventoryUrl, ordersUrl, database);

    /// <summary>Inventory.</summary>
    public ServiceProcess Inventory { get; }

    /// <summary>Where it listens.</summary>
    public string InventoryUrl { get; }

    /// <summary>Its database, whose levels may be written.</summary>
    public NpgsqlDataSource InventoryDatabase { get; }

    /// <summary>Where Orders listens.</summary>
    public string OrdersUrl { get; }

    /// <summary>An address that nobody listens at yet.</summary>
    public static string Url() => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Free()}");

    /// <summary>Starts them, and makes as many products with stock as are asked for.</summary>
    /// <exception cref="InvalidOperationException">One did not become ready.</exception>
    public static async Task<OrderingServices> StartAsync(PostgresCluster postgres, EmbeddedKafkaProcess kafka, string directory, int products, (string, string)[] inventorySettings, CancellationToken cancellationToken)
    {
        var (providerUrl, inventoryUrl, ordersUrl) = (Url(), Url(), Url());
        var inventoryDatabase = await postgres.CreateDatabaseAsync("inventory", cancellationToken);
        var services = new OrderingServices(await StartAsync("inventory", inventoryUrl, inventoryDatabase, inventorySettings), inventoryUrl, ordersUrl, NpgsqlDataSource.Create(BookingSessions.Of(inventoryDatabase)));
        try
        {
            services._others.Add(await ServiceProcess.StartAsync("PaymentProvider.dll", providerUrl, [("Ledger__Directory", Path.Combine(directory, "ledger"))], cancellationToken));
            services._others.Add(await StartAsync("orders", ordersUrl, await postgres.CreateDatabaseAsync("orders", cancellationToken), ("PaymentTokens__PublicKey", TestPaymentKeys.Public)));
            services._others.Add(await StartAsync("payments", Url(), await postgres.CreateDatabaseAsync("payments", cancellationToken),
                ("PaymentTokens__PrivateKey", TestPaymentKeys.Private), ("services__payment-provider__http__0", providerUrl)));
            await services.ExecuteAsync($"INSERT INTO products (sku, name, description, price_amount, price_currency) SELECT 'bench-' || i, 'Bench', '', 9.50, 'EUR' FROM generate_series(0, {products - 1}) i", cancellationToken);
            // the stock of products is there once they are committed
            await services.ExecuteAsync("UPDATE stock SET on_hand = 1000000 WHERE sku LIKE 'bench-%'", cancellationToken);
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }

        Task<ServiceProcess> StartAsync(string service, string url, string database, params (string, string)[] settings) => ServiceProcess.StartAsync($"{char.ToUpperInvariant(service[0])}{service[1..]}.dll", url,
            [($"ConnectionStrings__{service}", database), ("ConnectionStrings__kafka", kafka.BootstrapServers), ("Authentication__SigningKey", TestTokens.SigningKey), .. settings], cancellationToken);
    }

    /// <summary>Runs statements in Inventory's database.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = InventoryDatabase.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var service in _others.AsEnumerable().Reverse())
            await service.DisposeAsync();
        await InventoryDatabase.DisposeAsync();
        await Inventory.DisposeAsync();
    }
}
