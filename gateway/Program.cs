using Shop.Gateway;
using Shop.Gateway.DevelopmentLogin;
using Shop.Gateway.Documenting;
using Shop.Gateway.Edge;
using Shop.Gateway.Proxying;
using Shop.Gateway.RecognisingDevices;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory,
});
// before the defaults: they take off the data protection that YARP, too, brings and nothing here uses
builder.AddProxy();
builder.AddServiceDefaults();
builder.AddEdge();

var app = builder.Build();
app.UseEdge();
app.MapServiceDefaults();
app.UseDeviceCookie();
app.UsePages();
app.MapDevelopmentTokens();
app.MapShopApiDocument();
app.MapProxy();
app.Run();
