using Shop.Gateway.SigningIn;
using Shop.ServiceDefaults;

namespace Shop.Gateway.Proxying;

/// <summary>
/// When a stream of events ends that its service would go on with. With the gateway, which waits for other requests: its reader goes on at another one, after the
/// last event that it has. And with the session by which it was opened, for who has signed out reads nothing more.
/// </summary>
internal static class StreamEnds
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(Watch, context);
        return next(context);
    }

    private static Task Watch(object state)
    {
        var context = (HttpContext)state;
        if (context.Response.ContentType?.StartsWith(ServerSentEvents.ContentType, StringComparison.OrdinalIgnoreCase) != true)
            return Task.CompletedTask;
        var services = context.RequestServices;
        context.Response.RegisterForDispose(services.GetRequiredService<Draining>().Over.UnsafeRegister(static stream => ((HttpContext)stream!).Abort(), context));
        if (context.Features.Get<SessionOfRequest>() is { Key: var key })
        {
            var sessions = services.GetRequiredService<SessionStore>();
            // disposing waits for a look that is under way: the context is another request's afterwards
            context.Response.RegisterForDisposeAsync(services.GetRequiredService<TimeProvider>().CreateTimer(_ =>
            {
                if (!sessions.Has(key))
                    context.Abort();
            }, null, BetweenLooks, BetweenLooks));
        }
        return Task.CompletedTask;
    }
}
