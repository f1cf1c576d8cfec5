using Microsoft.AspNetCore.Server.Kestrel.Core;
using Shop.ServiceDefaults;
using Yarp.ReverseProxy.Health;

namespace Shop.Gateway.Proxying;

/// <summary>YARP, with Shop's routes and its way of meeting a service that is away.</summary>
internal static class ProxyExtensions
{
    public static void AddProxy(this WebApplicationBuilder builder)
    {
        // one line for each request and a stack for each that failed is too much; AwayService says it in one
        builder.Logging.AddFilter("Yarp", LogLevel.Error);
        builder.Services.AddSingleton<IPassiveHealthCheckPolicy, UnreachableInstancePolicy>();
        builder.Services.AddReverseProxy()
            .LoadFromMemory(Routes.All, Routes.Clusters)
            .AddServiceDiscoveryDestinationResolver()
            // an instance on a machine that is gone does not refuse the connection, it is silent
            .ConfigureHttpClient((_, handler) => handler.ConnectTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddHttpClient();
        // less than the services take: see ServiceDefaults
        builder.Services.PostConfigure<KestrelServerOptions>(options =>
        {
            var defaults = new KestrelServerLimits();
            options.Limits.MaxRequestLineSize = defaults.MaxRequestLineSize;
            options.Limits.MaxRequestHeadersTotalSize = defaults.MaxRequestHeadersTotalSize;
            options.Limits.MaxRequestHeaderCount = defaults.MaxRequestHeaderCount;
        });
        builder.Services.AddHealthChecks().AddCheck<ServicesHealthCheck>("services", tags: [HealthEndpoints.ReadyTag]);
    }

    public static void MapProxy(this WebApplication app) => app.MapReverseProxy(proxy =>
    {
        proxy.Use(AwayService.InvokeAsync);
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
    });
}
