using Shop.Activity;
using Shop.Activity.CollectingActivity;
using Shop.Activity.CountingWindows;
using Shop.Activity.ReadingEvents;
using Shop.Activity.StoringEvents;
using Shop.Activity.Warehouse;
using Shop.Contracts;
using Shop.Messaging;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<ActivityDb>("activity", messaging => messaging
    .Produces(Topics.ShopperActivity)
    .Endpoint("feed", endpoint => endpoint.Consumes([.. Topics.Lasting]).BatchHandler<FeedHandler>())
    .Endpoint("windows", endpoint => endpoint.Consumes(Kinds.CountedTopics).BatchHandler<WindowHandler>()));
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ActivityJson.Default));
builder.AddCollectingActivity();
builder.AddCountingWindows();
builder.AddWarehouse();

var app = builder.Build();
app.MapServiceDefaults();
app.MapOrderTimeline();
app.MapFeed();
app.MapCollectingActivity();
app.MapCountingWindows();
app.MapMessaging("activity");
app.Run();
