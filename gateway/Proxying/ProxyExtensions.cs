using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;
using Shop.Gateway.Edge;
using Shop.ServiceDefaults;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace Shop.Gateway.Proxying;

/// <summary>YARP, with Shop's routes and its way of meeting a service that is away.</summary>
internal static class ProxyExtensions
{
    /// <summary>How the names of the gateway's own cookies begin; it reads them whatever the case of their letters.</summary>
    private const string OwnCookies = "shop_";

    public static void AddProxy(this WebApplicationBuilder builder)
    {
        // one line for each request and a stack for each that failed is too much; AwayService says it in one
        builder.Logging.AddFilter("Yarp", LogLevel.Error);
        builder.Services.AddSingleton<IPassiveHealthCheckPolicy, UnreachableInstancePolicy>();
        builder.Services.AddSingleton<IActiveHealthCheckPolicy, ReadinessPolicy>();
        builder.Services.AddReverseProxy()
            .LoadFromMemory(Routes.All, Routes.Clusters)
            .AddServiceDiscoveryDestinationResolver()
            .AddTransforms(transforms => transforms.AddRequestTransform(KeepServicesCookies))
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
        builder.Services.AddSingleton<ServicesHealthCheck>();
        builder.Services.AddHealthChecks().AddCheck<ServicesHealthCheck>("services", tags: [HealthEndpoints.ReadyTag]);
    }

    public static void MapProxy(this WebApplication app) => app.MapReverseProxy(proxy =>
    {
        proxy.Use(StreamEnds.InvokeAsync);
        proxy.Use((context, next) =>
        {
            WaitAsLong(context.GetReverseProxyFeature());
            return next(context);
        });
        proxy.Use(AwayService.InvokeAsync);
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
    });

    /// <summary>As long as the route's answers may be in coming.</summary>
    private static void WaitAsLong(IReverseProxyFeature proxied)
    {
        if (proxied.Route.Config.Metadata?.TryGetValue(Routes.LongestSilence, out var silence) != true || proxied is not ReverseProxyFeature own)
            return;
        var config = own.Cluster.Config;
        own.Cluster = new(config with
        {
            HttpRequest = (config.HttpRequest ?? ForwarderRequestConfig.Empty) with { ActivityTimeout = TimeSpan.Parse(silence!, CultureInfo.InvariantCulture) },
        }, own.Cluster.HttpClient);
    }

    /// <summary>Services are shown tokens and a device's header: the cookies that those come from are between the browser and the gateway. Others are a service's.</summary>
    private static ValueTask KeepServicesCookies(RequestTransformContext transform)
    {
        var cookies = transform.HttpContext.Request.Cookies;
        if (cookies.Keys.Any(IsOurs))
        {
            RequestTransform.RemoveHeader(transform, HeaderNames.Cookie);
            if (cookies.Without(IsOurs) is { Length: > 0 } others)
                RequestTransform.AddHeader(transform, HeaderNames.Cookie, others);
        }
        return default;

        static bool IsOurs(string cookie) => cookie.StartsWith(OwnCookies, StringComparison.OrdinalIgnoreCase);
    }
}
