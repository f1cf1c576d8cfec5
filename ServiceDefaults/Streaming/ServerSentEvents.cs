using Microsoft.AspNetCore.Http;

namespace Shop.ServiceDefaults;

/// <summary>What all answers have that are streams of events. Source: HTML Standard, section 9.2, server-sent events.</summary>
public static class ServerSentEvents
{
    /// <summary>Their content type.</summary>
    public const string ContentType = "text/event-stream";

    /// <summary>Tells proxies in front that an answer is to be passed on as it comes. Source: nginx's proxy_buffering.</summary>
    public const string BufferingHeader = "X-Accel-Buffering";

    /// <summary>A line that clients ignore and proxies count as traffic.</summary>
    public static readonly ReadOnlyMemory<byte> Comment = ":\n\n"u8.ToArray();

    /// <summary>Sets the headers of a stream that is written by hand.</summary>
    public static void Begin(HttpResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);

        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache,no-store";
        response.Headers[BufferingHeader] = "no";
    }
}
