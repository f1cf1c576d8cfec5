using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;
using Shop.ServiceDefaults;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Transforms;

namespace Shop.Gateway.Proxying;

/// <summary>YARP, with Shop's routes and its way of meeting a service that is away.</summary>
internal static class ProxyExtensions
{
    /// <summary>How the names of the gateway's own cookies begin.</summary>
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
        builder.Services.AddHealthChecks().AddCheck<ServicesHealthCheck>("services", tags: [HealthEndpoints.ReadyTag]);
    }

    public static void MapProxy(this WebApplication app) => app.MapReverseProxy(proxy =>
    {
        var draining = app.Services.GetRequiredService<Draining>();
        proxy.Use((context, next) =>
        {
            context.Response.OnStarting(() => EndStreamAsync(context, draining.Over));
            return next(context);
        });
        proxy.Use(AwayService.InvokeAsync);
        proxy.UseLoadBalancing();
        proxy.UsePassiveHealthChecks();
    });

    /// <summary>A stream ends with the gateway, which waits for other requests: its reader goes on at another one, after the last event that it has.</summary>
    private static Task EndStreamAsync(HttpContext context, CancellationToken gatewayEnds)
    {
        if (context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true)
            context.Response.RegisterForDispose(gatewayEnds.UnsafeRegister(static stream => ((HttpContext)stream!).Abort(), context));
        return Task.CompletedTask;
    }

    /// <summary>Services are shown tokens and a device's header: the cookies that those come from are between the browser and the gateway. Others are a service's.</summary>
    private static ValueTask KeepServicesCookies(RequestTransformContext transform)
    {
        var cookies = transform.HttpContext.Request.Headers.Cookie;
        if (cookies.Any(header => header?.Contains(OwnCookies, StringComparison.Ordinal) == true))
        {
            RequestTransform.RemoveHeader(transform, HeaderNames.Cookie);
            var others = string.Join("; ", cookies.SelectMany(header => header!.Split(';', StringSplitOptions.TrimEntries)).Where(cookie => !cookie.StartsWith(OwnCookies, StringComparison.Ordinal)));
            if (others.Length > 0)
                RequestTransform.AddHeader(transform, HeaderNames.Cookie, others);
        }
        return default;
    }
}
