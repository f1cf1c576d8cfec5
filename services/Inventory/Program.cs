using Shop.Contracts;
using Shop.Inventory;
using Shop.Inventory.BrowsingCatalog;
using Shop.Inventory.ChangingProducts;
using Shop.Inventory.CorrectingStock;
using Shop.Inventory.ExpiringReservations;
using Shop.Inventory.ReadingMovements;
using Shop.Inventory.ReceivingGoods;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.SeedingProducts;
using Shop.Messaging;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<InventoryDb>("inventory", messaging => messaging
    .Produces(Topics.Reservations, Topics.Stock, Topics.Catalog)
    .Endpoint("reservations", endpoint => endpoint.Consumes(Topics.Orders).Prefetch<StockPrefetch>().Consumer<OrderConsumer>()));
builder.Services.AddHostedService<ProductSeeder>();
builder.Services.AddOptions<ReservationLifetime>().BindConfiguration("Reservations").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddPeriodicWorker<ReservationExpiry>("reservation expiry");
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, InventoryJson.Default));

var app = builder.Build();
app.MapServiceDefaults();
app.MapBrowsingCatalog();
app.MapChangingProducts();
app.MapReceivingGoods();
app.MapCorrectingStock();
app.MapReadingMovements();
app.MapMessaging("inventory");
app.Run();
