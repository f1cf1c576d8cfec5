using Shop.Contracts;
using Shop.Inventory;
using Shop.Inventory.BrowsingCatalog;
using Shop.Inventory.ChangingProducts;
using Shop.Inventory.CorrectingStock;
using Shop.Inventory.ExpiringReservations;
using Shop.Inventory.Products;
using Shop.Inventory.ReadingMovements;
using Shop.Inventory.ReceivingGoods;
using Shop.Inventory.ReceivingReadings;
using Shop.Inventory.RegisteringSensors;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.SeedingProducts;
using Shop.Inventory.Sensors;
using Shop.Inventory.Stock;
using Shop.Inventory.WatchingSensors;
using Shop.Messaging;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<InventoryDb>("inventory", messaging => messaging
    .ShipsLogs()
    .SessionSetting(StockLedger.SessionSetting, "on")
    .Produces(Topics.Reservations, Topics.Stock, Topics.SensorReadings, Topics.Alarms)
    .Captures("products", Topics.Catalog, key: "sku", Product.ToEvent)
    .Endpoint("reservations", endpoint => endpoint.Consumes(Topics.Orders).Prefetch<StockPrefetch>().Consumer<OrderConsumer>())
    .Endpoint(SilenceWatch.Endpoint, endpoint => endpoint.Consumes(Topics.SensorReadings).BatchHandler<ReadingHandler>().Idempotent()));
builder.Services.AddHostedService<ProductSeeder>();
builder.Services.AddOptions<ReservationLifetime>().BindConfiguration("Reservations").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddPeriodicWorker<ReservationExpiry>("reservation expiry");
builder.Services.AddOptions<SilenceOptions>().BindConfiguration("Sensors").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddPeriodicWorker<SilenceWatch>("silent sensors");
builder.Services.AddWorker<SensorDirectory>("sensor directory");
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, InventoryJson.Default));

var app = builder.Build();
app.MapServiceDefaults();
app.MapBrowsingCatalog();
app.MapChangingProducts();
app.MapReceivingGoods();
app.MapCorrectingStock();
app.MapReadingMovements();
app.MapRegisteringSensors();
app.MapReceivingReadings();
app.MapMessaging("inventory");
app.Run();
