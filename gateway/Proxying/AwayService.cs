using System.Net.Sockets;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Proxying;

/// <summary>
/// When an instance cannot be reached the next one is asked, where that is safe, at last those that are left out: they may be up again. When there is none
/// left, the answer is 503 with Retry-After.
/// </summary>
internal static partial class AwayService
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var proxied = context.GetReverseProxyFeature();
        // load balancing narrows the feature's own list to the one it chose
        var (available, all) = (proxied.AvailableDestinations, proxied.AllDestinations);
        List<DestinationState> tried = [];
        await next(context);
        while (MayAskAnother(context) && proxied.ProxiedDestination is { } failed)
        {
            tried.Add(failed);
            List<DestinationState> untried = [.. available.Except(tried)];
            if (untried.Count == 0)
                untried = [.. all.Except(tried)];
            if (untried.Count == 0)
                break;
            proxied.AvailableDestinations = untried;
            context.Features.Set<IForwarderErrorFeature>(null);
            context.Response.StatusCode = StatusCodes.Status200OK;
            await next(context);
        }

        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return;
        // without a body, which the status code pages then write
        if (context.Response.StatusCode is StatusCodes.Status502BadGateway && context.GetForwarderErrorFeature() is { } failure)
        {
            if (failure.Error is ForwarderError.RequestCreation or ForwarderError.Request && !failure.IsOfInstance())
            {
                LogUnsendable(Logger(context), context.Request.Method, proxied.Cluster.Config.ClusterId, failure.Exception?.Message);
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }
            LogAway(Logger(context), proxied.Cluster.Config.ClusterId, failure.Error, failure.Exception?.Message);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }

    /// <summary>
    /// Whether the request may be sent to another instance. A request that never left is; one that may have been acted
    /// on is only when it changes nothing. The body is no obstacle: nothing read it before there was a connection.
    /// </summary>
    private static bool MayAskAnother(HttpContext context)
    {
        if (context.Response.HasStarted || context.GetForwarderErrorFeature() is not { } failure || !failure.IsOfInstance())
            return false;
        var neverSent = failure.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
        return neverSent || HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
    }

    /// <summary>Whether the connection failed, and not the request: one that HTTP cannot express fails at every instance, before it is sent.</summary>
    public static bool IsOfInstance(this IForwarderErrorFeature failure)
    {
        if (failure.Error is not ForwarderError.Request)
            return false;
        for (var cause = failure.Exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException or SocketException or HttpRequestException { HttpRequestError: not HttpRequestError.Unknown })
                return true;
        }
        return false;
    }

    private static ILogger Logger(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AwayService));

    [LoggerMessage(EventName = "RequestUnsendable", Level = LogLevel.Information, Message = "A {Method} for {Service} cannot be passed on: {Reason}")]
    private static partial void LogUnsendable(ILogger logger, string method, string service, string? reason);

    [LoggerMessage(EventName = "ServiceUnavailable", Level = LogLevel.Warning, Message = "{Service} could not be reached ({Error}): {Reason}")]
    private static partial void LogAway(ILogger logger, string service, ForwarderError error, string? reason);
}
