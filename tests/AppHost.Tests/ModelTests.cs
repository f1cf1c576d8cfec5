using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Shop.AppHost.Kafka;
using Shop.AppHost.Postgres;
using Shop.AppHost.Running;

namespace Shop.AppHost.Tests;

/// <summary>What is modelled from what this machine has and what is given, without starting any of it.</summary>
public sealed class ModelTests : IDisposable
{
    private const string Programs = "/usr/lib/postgresql/15/bin";
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shop-model-");
    private readonly IDistributedApplicationBuilder _builder;
    private readonly ShopSettings _shop;

    public ModelTests()
    {
        _shop = ShopSettings.Read([$"--SHOP_DATA={_data.FullName}", "--SHOP_DASHBOARD=off", "--KAFKA_HOME="], _data.FullName);
        _builder = ShopDefaults.CreateBuilder(_shop, []);
    }

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void The_systems_PostgreSQL_is_run_with_a_private_cluster()
    {
        var postgres = _builder.AddPostgresServer("postgres", _shop, Programs, containers: false);

        Assert.IsType<PostgresClusterResource>(postgres.Resource);
        var endpoint = Assert.Single(postgres.Resource.Annotations.OfType<EndpointAnnotation>());
        Assert.False(endpoint.IsProxied);
        Assert.InRange(endpoint.Port!.Value, 12_000, 32_000);
    }

    [Fact]
    public async Task Without_it_and_with_a_container_engine_it_is_a_container_with_logical_replication()
    {
        var postgres = _builder.AddPostgresServer("postgres", _shop, null, containers: true);
        var orders = postgres.AddServiceDatabase("orders-database", "orders", _shop);

        var server = Assert.IsType<PostgresServerResource>(postgres.Resource);
        Assert.Equal("postgres", server.Annotations.OfType<ContainerImageAnnotation>().Single().Image.Split('/')[^1]);
        Assert.Contains(server.Annotations.OfType<ContainerMountAnnotation>(), mount => mount.Source!.StartsWith(_data.FullName, StringComparison.Ordinal));
        var arguments = new List<object>();
        foreach (var callback in server.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await callback.Callback(new CommandLineArgsCallbackContext(arguments, CancellationToken.None));
        Assert.Contains("wal_level=logical", arguments);
        Assert.Contains("Username=orders;", orders.Resource.ConnectionStringExpression.ValueExpression);
        Assert.DoesNotContain("Username=postgres", orders.Resource.ConnectionStringExpression.ValueExpression);
    }

    [Theory]
    [InlineData("--SHOP_PORT=abc", "SHOP_PORT is 'abc'; it must be a number from 1 to 65535.")]
    [InlineData("--SHOP_REPLICAS=0", "SHOP_REPLICAS is '0'; it must be a number from 1 to 100.")]
    [InlineData("--KAFKA_HOME=/nope", "KAFKA_HOME is '/nope', where there is no directory libs.")]
    [InlineData("--ConnectionStrings:postgres=nonsense", "ConnectionStrings__postgres is no connection string")]
    public void A_setting_that_nothing_can_be_made_of_is_named(string setting, string message) =>
        Assert.StartsWith(message, Assert.Throws<DistributedApplicationException>(() => ShopSettings.Read([setting], _data.FullName)).Message);

    [Fact]
    public void Without_both_the_error_names_the_package()
    {
        var missing = Assert.Throws<DistributedApplicationException>(() => _builder.AddPostgresServer("postgres", _shop, null, containers: false));

        Assert.Contains("Install the package postgresql", missing.Message);
    }

    [Fact]
    public void Kafka_is_EmbeddedKafka_and_where_KAFKA_HOME_is_given_Apache_Kafka()
    {
        Assert.IsType<EmbeddedKafkaResource>(_builder.AddKafka("kafka", _shop).Resource);
        Assert.IsType<ApacheKafkaResource>(_builder.AddKafka("other", _shop with { KafkaHome = _data.FullName }).Resource);
    }

    [Fact]
    public async Task What_is_given_by_connection_string_is_not_run_and_no_service_learns_the_administrators_password()
    {
        _builder.Configuration["ConnectionStrings:kafka"] = "bootstrap.servers=broker:9093;security.protocol=SASL_SSL";
        _builder.Configuration["ConnectionStrings:postgres"] = "Host=db.example;Port=6432;Username=admin;Password=secret";

        var kafka = _builder.AddKafka("kafka", _shop);
        var postgres = _builder.AddPostgresServer("postgres", _shop, Programs, containers: false);
        var orders = postgres.AddServiceDatabase("orders-database", "orders", _shop);

        Assert.DoesNotContain(_builder.Resources, resource => resource is ExecutableResource or ProjectResource);
        Assert.Equal("bootstrap.servers=broker:9093;security.protocol=SASL_SSL", await kafka.Resource.GetConnectionStringAsync(TestContext.Current.CancellationToken));
        Assert.Matches("^Host=db.example;Port=6432;Username=orders;Password=[0-9a-f]{48};Database=orders;Maximum Pool Size=20$",
            await ((IResourceWithConnectionString)orders.Resource).GetConnectionStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Ports_and_secrets_stay_the_same_and_only_the_owner_may_read_them()
    {
        var kept = new KeptValues(_data.FullName);
        var (port, secret) = (kept.Port("orders-1"), kept.Secret("postgres/orders"));

        Assert.Equal(port, new KeptValues(_data.FullName).Port("orders-1"));
        Assert.Equal(secret, new KeptValues(_data.FullName).Secret("postgres/orders"));
        foreach (var file in (string[])["ports.json", "secrets.json"])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_data.FullName, file)));
    }

    [Theory]
    [InlineData("SHOP_PORT=none"), InlineData("SHOP_REPLICAS=0")]
    public void A_setting_that_is_no_number_is_named(string setting)
    {
        var wrong = Assert.Throws<DistributedApplicationException>(() => ShopSettings.Read([$"--{setting}"], _data.FullName));

        Assert.Contains(setting.Split('=')[0], wrong.Message);
    }
}
