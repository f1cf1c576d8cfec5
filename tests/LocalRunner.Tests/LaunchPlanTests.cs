using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Shop.LocalRunner.Processes;
using Shop.LocalRunner.Running;

namespace Shop.LocalRunner.Tests;

public sealed class LaunchPlanTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, string> _connectionStrings = [];
    private readonly List<IResource> _resources = [];
    private readonly DistributedApplication.Builder _builder;

    public LaunchPlanTests() => _builder = new(_directory.Path, _resources);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_service_gets_its_database_its_broker_and_its_address()
    {
        var orders = AddOrders();

        var plan = Plan();
        var environment = plan.Environment(orders.Resource, 1);

        var parts = plan.Plan.Parts.ToDictionary(part => part.Name);
        Assert.Equal(parts["orders"].Url, environment["ASPNETCORE_URLS"]);
        Assert.Matches("^http://127.0.0.1:[0-9]+$", parts["orders"].Url);
        Assert.Matches($"^Host=127.0.0.1;Port={new Uri(parts["postgres"].Url).Port};Username=orders;Password=[0-9a-f]{{48}};Database=orders;Maximum Pool Size=20$", environment["ConnectionStrings__orders"]);
        Assert.Equal($"127.0.0.1:{new Uri(parts["kafka"].Url).Port}", environment["ConnectionStrings__kafka"]);
        Assert.Equal("Development", environment["ASPNETCORE_ENVIRONMENT"]);
        Assert.Equal(["postgres", "kafka"], parts["orders"].WaitsFor);
    }

    [Fact]
    public async Task A_child_process_sees_its_environment()
    {
        var orders = AddOrders();
        var environment = Plan().Environment(orders.Resource, 1);
        var lines = new LogTail(1000);

        await using var child = ChildProcess.Start(new ProcessSpec("/usr/bin/env") { Environment = environment }, _directory.Path, lines.Add);

        await Wait.UntilAsync(() => environment.All(variable => lines.Lines().Contains($"{variable.Key}={variable.Value}")), "the environment is printed");
    }

    [Fact]
    public void Every_replica_has_an_address_and_the_gateway_knows_them_all()
    {
        var orders = AddOrders().WithReplicas(3);
        var gateway = _builder.AddProject("gateway", "Gateway.csproj").WithHttpEndpoint(port: 18_081).WithExternalHttpEndpoints().WithReference(orders);

        var plan = Plan();
        var environment = plan.Environment(gateway.Resource, 1);

        var urls = plan.Plan.Parts.Where(part => part.Name == "orders").Select(part => part.Url).ToList();
        Assert.Equal(3, urls.Distinct().Count());
        Assert.Equal(urls, Enumerable.Range(0, 3).Select(i => environment[$"services__orders__http__{i}"]));
        Assert.False(environment.ContainsKey("services__orders__http__3"));
        Assert.Equal(["orders-1", "orders-2", "orders-3"], plan.Plan.Parts.Where(part => part.Name == "orders").Select(part => part.Title));
        Assert.Equal("http://localhost:18081", plan.Plan.Url);
    }

    [Fact]
    public void Ports_and_secrets_stay_the_same_and_only_the_owner_may_read_them()
    {
        var orders = AddOrders();

        var first = Plan().Environment(orders.Resource, 1);
        var second = Plan().Environment(orders.Resource, 1);

        Assert.Equal(first, second);
        Assert.Equal(44, first["Authentication__SigningKey"]!.Length);
        foreach (var file in new[] { "secrets.json", "ports.json" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory.File(file)));
    }

    [Fact]
    public void What_is_given_by_connection_string_is_not_run()
    {
        _connectionStrings["kafka"] = "bootstrap.servers=broker:9093;security.protocol=SASL_SSL";
        _connectionStrings["postgres"] = "Host=db.example;Port=6432;Username=admin;Password=secret";
        var orders = AddOrders();

        var plan = Plan();
        var environment = plan.Environment(orders.Resource, 1);

        Assert.Equal(["orders"], plan.Plan.Parts.Select(part => part.Name));
        Assert.Equal([("postgres", "postgresql://db.example:6432"), ("kafka", "")], plan.Plan.Externals.Select(external => (external.Name, external.Url)));
        Assert.Equal(_connectionStrings["kafka"], environment["ConnectionStrings__kafka"]);
        Assert.StartsWith("Host=db.example;Port=6432;Username=orders;", environment["ConnectionStrings__orders"]);
    }

    [Fact]
    public async Task A_port_that_another_program_has_is_named()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        _builder.AddProject("gateway", "Gateway.csproj").WithHttpEndpoint(port: port).WithExternalHttpEndpoints();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Plan().Plan.Parts.Single().Command(TestContext.Current.CancellationToken));

        Assert.Equal($"port {port} is in use by another program; SHOP_PORT chooses another", refused.Message);
    }

    [Fact]
    public void Two_resources_of_one_name_are_refused()
    {
        AddOrders();

        Assert.Throws<DistributedApplicationException>(() => _builder.AddProject("orders", "Orders.csproj"));
    }

    private IResourceBuilder<ProjectResource> AddOrders()
    {
        var database = _builder.AddPostgres("postgres").AddDatabase("orders-database", databaseName: "orders");
        var kafka = _builder.AddKafka("kafka");
        var key = _builder.AddParameter("development-signing-key", new GenerateParameterDefault { MinLength = 44 }, secret: true, persist: true);
        return _builder.AddProject("orders", "Orders.csproj").WithHttpEndpoint()
            .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development").WithEnvironment("Authentication__SigningKey", key)
            .WithReference(database, connectionName: "orders").WaitFor(database).WithReference(kafka).WaitFor(kafka);
    }

    private LaunchPlan Plan() => new(_resources, new RunnerSettings
    {
        DataDirectory = _directory.Path,
        BuildDirectory = _directory.Path,
        Configuration = "release",
        ConnectionString = name => _connectionStrings.GetValueOrDefault(name),
        Parameter = _ => null,
    });
}
