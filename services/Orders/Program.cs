using Shop.Contracts;
using Shop.Messaging;
using Shop.Messaging.Workers;
using Shop.Orders;
using Shop.Orders.CancellingOrder;
using Shop.Orders.CopyingCatalog;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RecordingHistory;
using Shop.Orders.RepairingOrders;
using Shop.Orders.SearchingOrders;
using Shop.Orders.StreamingOrders;
using Shop.Orders.SubmittingOrder;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, OrdersJson.Default));
builder.Services.AddOptions<OrderDeadlines>().BindConfiguration("Deadlines").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddHealthChecks().AddCheck<CatalogCheck>("catalogue", tags: [HealthEndpoints.ReadyTag]);
builder.AddMessaging<OrdersDb>("orders", messaging => messaging
    .ShipsLogs()
    .Produces(Topics.Orders)
    .Endpoint("fulfilment", endpoint => endpoint.Consumes(OrderTopics.All).Saga<OrderFulfilment, Order>())
    .Endpoint("history", endpoint => endpoint.Consumes(OrderTopics.All).BatchHandler<HistoryRecorder>())
    .Endpoint("pricing", endpoint => endpoint.Consumes(Topics.Catalog).BatchHandler<ProductCopier>()));
builder.AddRepairingOrders();
builder.AddSubmittingOrder();
builder.Services.AddPeriodicWorker<WaitingEvents>("waiting events");
builder.AddStreamingOrder();

var app = builder.Build();
app.MapServiceDefaults();
app.MapSubmittingOrder();
app.MapReadingOrders();
app.MapOrderTimeline();
app.MapStreamingOrder();
app.MapCancellingOrder();
app.MapRepairingOrders();
app.MapSearchingOrders();
app.MapMessaging("orders");
await app.RunAsync();
