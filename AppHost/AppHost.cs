// Shop's parts and what each needs of the others, on .NET Aspire.
using Microsoft.Extensions.DependencyInjection;
using Shop.AppHost;
using Shop.AppHost.Commands;
using Shop.AppHost.Kafka;
using Shop.AppHost.Postgres;
using Shop.AppHost.Running;

ShopSettings shop;
try
{
    shop = ShopSettings.Read(args, Path.GetFullPath(Path.Combine(new Projects.Gateway().ProjectPath, "..", "..")));
}
catch (DistributedApplicationException e)
{
    ShopReport.Say($"The shop did not start: {e.Message}");
    return 1;
}

await using var guard = await ShopGuard.TakeAsync(shop.Data);
if (guard is null)
{
    ShopReport.Say($"This shop is already running (its data is in {shop.Data}).");
    return 0;
}

var builder = ShopDefaults.CreateBuilder(shop, args);
var kept = new KeptValues(shop.Data);

var postgres = builder.AddPostgresServer("postgres", shop, PostgresPrograms.Find(), containers: Programs.Find("docker") is not null || Programs.Find("podman") is not null);
var kafka = builder.AddKafka("kafka", shop);

// HMAC key of the tokens that the gateway hands out in development and that every service verifies
var signingKey = builder.AddParameter("development-signing-key", () => builder.Configuration["Parameters:development-signing-key"] ?? kept.Secret("parameters/development-signing-key", 44), secret: true);

var paymentProvider = builder.AddBuiltProject<Projects.PaymentProvider>("payment-provider")
    .WithLoopbackEndpoint(kept.Port("payment-provider-1"))
    .WithIconName("PaymentWireless")
    .WithEnvironment("Ledger__Directory", Path.Combine(shop.Data, "payment-provider"))
    .WithPace()
    .IsSupervised();

// Orders seals the tokens of means of payment, which only Payments can open
var paymentTokens = kept.KeyPair("payment-tokens");

var orders = AddService<Projects.Orders>("orders", "Cart").WithEnvironment("PaymentTokens__PublicKey", paymentTokens.Public);
var inventory = AddService<Projects.Inventory>("inventory", "BoxMultiple");
var payments = AddService<Projects.Payments>("payments", "Payment").WithReference(paymentProvider)
    .WithEnvironment("PaymentTokens__PrivateKey", builder.AddParameter("payment-tokens-private-key", paymentTokens.Private, secret: true));
var activity = AddService<Projects.Activity>("activity", "TextBulletListSquare")
    // as ./shop query finds it
    .WithEnvironment("Warehouse__Directory", Path.GetFullPath(builder.Configuration["Warehouse:Directory"] is { Length: > 0 } warehouse ? warehouse : Path.Combine(shop.Data, "warehouse")))
    // signs the cookies by which visitors are known again
    .WithEnvironment("Visitors__CookieKey", builder.AddParameter("visitor-cookie-key", () => kept.Secret("parameters/visitor-cookie-key", 44), secret: true));

var gateway = builder.AddBuiltProject<Projects.Gateway>("gateway")
    .WithHttpEndpoint(port: shop.Port, isProxied: false)
    .WithExternalHttpEndpoints()
    .WithIconName("DoorArrowRight")
    .WithUrlForEndpoint("http", url => url.DisplayText = "Shop")
    .WithEnvironment("Authentication__SigningKey", signingKey)
    .WithEnvironment("Sessions__KeyDirectory", Path.Combine(shop.Data, "sessions"))
    .WithReference(orders)
    .WithReference(inventory)
    .WithReference(payments)
    .WithReference(activity)
    // for the control room: its switch for a slow provider, and its links to traces
    .WithReference(paymentProvider)
    .WithEnvironment("Dashboard__Url", shop.Dashboard ? builder.Configuration["ASPNETCORE_URLS"] : null)
    .WithPlaceOrder()
    .IsSupervised();
inventory.WithReceiveGoods(gateway);
foreach (var service in (IResourceBuilder<ProjectResource>[])[orders, inventory, payments, activity]) service.WithRedrive(gateway);

if (!Ports.IsFree(shop.Port)) // whoever answers there might even pass for a healthy gateway
{
    ShopReport.Say($"The shop did not start: port {shop.Port} is in use by another program; SHOP_PORT chooses another.");
    return 1;
}

var app = builder.Build();
var report = app.Services.GetRequiredService<ShopReport>();
await app.RunAsync();
report.Delete();
return report.ExitCode;

// a service: its own database, Kafka, and as many instances as wanted
IResourceBuilder<ProjectResource> AddService<TProject>(string name, string icon) where TProject : IProjectMetadata, new()
{
    var database = postgres.AddServiceDatabase($"{name}-database", name, shop, replication: name == "inventory");
    return builder.AddBuiltProject<TProject>(name)
        .WithReplicas(shop.Replicas)
        .WithLoopbackEndpoint(kept.Port($"{name}-1"), isProxied: shop.Replicas > 1) // replicas share the address of a proxy
        .WithIconName(icon)
        .WithEnvironment("Authentication__SigningKey", signingKey)
        .WithReference(database, connectionName: name).WaitFor(database, WaitBehavior.WaitOnResourceUnavailable)
        .WithReference(kafka).WaitFor(kafka, WaitBehavior.WaitOnResourceUnavailable)
        .IsSupervised();
}
