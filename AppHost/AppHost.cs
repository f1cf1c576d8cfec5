// Shop's parts and what each needs of the others, in .NET Aspire's words. Shop.sln compiles this file against LocalRunner, which
// runs it with plain processes; AppHost/Aspire compiles the same file against Aspire itself, which runs it with containers.
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

var builder = DistributedApplication.CreateBuilder(args);

var port = int.Parse(Environment.GetEnvironmentVariable("SHOP_PORT") ?? "8080");
var replicas = int.Parse(Environment.GetEnvironmentVariable("SHOP_REPLICAS") ?? "1");
var root = builder.AppHostDirectory; // AppHost or AppHost/Aspire
while (!File.Exists(Path.Combine(root, "Shop.sln"))) root = Path.GetDirectoryName(root)!;
var data = Path.GetFullPath(Environment.GetEnvironmentVariable("SHOP_DATA") ?? Path.Combine(root, ".shop"));

var postgres = builder.AddPostgres("postgres");
var kafka = builder.AddKafka("kafka");

// HMAC key of the tokens that the gateway hands out in development and that every service verifies
var signingKey = builder.AddParameter("development-signing-key", new GenerateParameterDefault { MinLength = 44, Special = false }, secret: true, persist: true);

var paymentProvider = builder.AddProject("payment-provider", Path.Combine(root, "services/PaymentProvider/PaymentProvider.csproj"))
    .WithHttpEndpoint()
    .WithHttpHealthCheck("/health/ready")
    .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
    .WithEnvironment("Ledger__Directory", Path.Combine(data, "payment-provider"));

var orders = AddService("orders", "services/Orders/Orders.csproj");
var inventory = AddService("inventory", "services/Inventory/Inventory.csproj");
var payments = AddService("payments", "services/Payments/Payments.csproj").WithReference(paymentProvider);
var activity = AddService("activity", "services/Activity/Activity.csproj");

builder.AddProject("gateway", Path.Combine(root, "gateway/Gateway.csproj"))
    .WithHttpEndpoint(port: port)
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health/ready")
    .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
    .WithEnvironment("Authentication__SigningKey", signingKey)
    .WithReference(orders)
    .WithReference(inventory)
    .WithReference(payments)
    .WithReference(activity);

builder.Build().Run();

// a service: its own database, Kafka, and as many instances as wanted
IResourceBuilder<ProjectResource> AddService(string name, string project)
{
    var database = postgres.AddDatabase($"{name}-database", databaseName: name);
    return builder.AddProject(name, Path.Combine(root, project))
        .WithReplicas(replicas)
        .WithHttpEndpoint()
        .WithHttpHealthCheck("/health/ready")
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
        .WithEnvironment("Authentication__SigningKey", signingKey)
        .WithReference(database, connectionName: name).WaitFor(database)
        .WithReference(kafka).WaitFor(kafka);
}
