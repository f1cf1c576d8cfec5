using Shop.Activity;
using Shop.Activity.ReadingEvents;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<ActivityDb>("activity", messaging => messaging
    .Endpoint("feed", endpoint => endpoint.Consumes([.. Topics.Lasting]).BatchHandler<FeedHandler>()));
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ActivityJson.Default));

var app = builder.Build();
app.MapServiceDefaults();
app.MapOrderTimeline();
app.MapFeed();
app.MapMessaging("activity");
app.Run();
