using Shop.Activity;
using Shop.Activity.CollectingActivity;
using Shop.Activity.CountingWindows;
using Shop.Activity.IndexingLogs;
using Shop.Activity.ListingAlarms;
using Shop.Activity.ReadingEvents;
using Shop.Activity.RebuildingFeed;
using Shop.Activity.StoringEvents;
using Shop.Activity.Warehouse;
using Shop.Contracts;
using Shop.Messaging;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<ActivityDb>("activity", messaging => messaging
    .ShipsLogs()
    .Produces(Topics.ShopperActivity, Topics.Alarms)
    .Endpoint("feed", endpoint => endpoint.Consumes([.. Topics.Lasting]).BatchHandler<FeedHandler>())
    .Endpoint("windows", endpoint => endpoint.Consumes(Kinds.CountedTopics).BatchHandler<WindowHandler>().Idempotent())
    .Endpoint("logs", endpoint => endpoint.Consumes(Topics.Logs).BatchHandler<LogHandler>().Idempotent())
    .Endpoint("alarms", endpoint => endpoint.Consumes(Topics.Alarms).BatchHandler<AlarmHandler>()));
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ActivityJson.Default));
builder.AddCollectingActivity();
builder.AddCountingWindows();
builder.AddIndexingLogs();
builder.AddRebuildingFeed();
builder.AddWarehouse();

var app = builder.Build();
app.MapServiceDefaults();
app.MapFeed();
app.MapCollectingActivity();
app.MapCountingWindows();
app.MapIndexingLogs();
app.MapListingAlarms();
app.MapRebuildingFeed();
app.MapMessaging("activity");
app.Run();
