using Shop.Gateway;
using Shop.Gateway.DevelopmentLogin;
using Shop.Gateway.Documenting;
using Shop.Gateway.Edge;
using Shop.Gateway.Proxying;
using Shop.Gateway.RecognisingDevices;
using Shop.Gateway.ShowingFlow;
using Shop.Gateway.SigningIn;
using Shop.Gateway.SwitchingFaults;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory,
});
// before the defaults: they take off the start of data protection, which makes a key where none may be needed
builder.AddProxy();
builder.AddSessionCookie();
builder.AddServiceDefaults();
builder.AddEdge();
builder.AddFlow();
builder.AddFaults();
builder.AddPages();

var app = builder.Build();
app.UseEdge();
app.MapServiceDefaults();
app.UseDeviceCookie();
app.UsePages();
app.MapDevelopmentTokens();
app.MapSession();
app.MapFlow();
app.MapFaults();
app.MapShopApiDocument();
app.MapProxy();
app.Run();
