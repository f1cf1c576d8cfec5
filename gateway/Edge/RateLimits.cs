using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Shop.Gateway.SigningIn;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Gateway.Edge;

/// <summary>How often one client may ask, in one gateway: a token bucket.</summary>
public sealed record RateLimit
{
    /// <summary>Requests a second that may go on for ever.</summary>
    [Range(1, 1_000_000)]
    public required int PerSecond { get; init; }

    /// <summary>Requests that may come at once after a pause.</summary>
    [Range(1, 1_000_000)]
    public required int Burst { get; init; }
}

/// <summary>
/// The settings <c>RateLimits</c>, for each kind of request: who has signed in is counted by name, everybody else by address (of IPv6 its /64); a device also by
/// its own name, since many are behind one address, and names cost nothing. By both: a stranger's requests in a device's name are not the device's.
/// What is beyond them is answered with 429 and Retry-After, and costs others nothing.
/// </summary>
public sealed class RateLimits
{
    /// <summary>Orders that are submitted and cancelled.</summary>
    public RateLimit Orders { get; init; } = new() { PerSecond = 200, Burst = 2_000 };

    /// <summary>Batches of what a visitor does.</summary>
    public RateLimit Activity { get; init; } = new() { PerSecond = 100, Burst = 500 };

    /// <summary>Sign-ins.</summary>
    public RateLimit SignIn { get; init; } = new() { PerSecond = 50, Burst = 1_000 };

    /// <summary>Batches of a device's readings.</summary>
    public RateLimit Devices { get; init; } = new() { PerSecond = 20, Burst = 100 };

    /// <summary>Everything else.</summary>
    public RateLimit Other { get; init; } = new() { PerSecond = 500, Burst = 2_000 };

    private const string DevicesPath = "/api/devices";
    private const int MaxSensorLength = 64;

    private static readonly TimeSpan Refill = TimeSpan.FromMilliseconds(100);

    /// <summary>Which of the limits, by its name, a request counts against for who asks; null for none.</summary>
    internal static string? OfClient(string method, PathString path)
    {
        var changes = !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method);
        if (path.StartsWithSegments("/health"))
            return null;
        // below the session's own address somebody is on the way to the authority, or back
        if (path.StartsWithSegments("/api/dev/token") || path.StartsWithSegments(SessionEndpoints.Path, out var below) && (changes || below.Value is not ("" or "/")))
            return nameof(SignIn);
        if (changes && path.StartsWithSegments("/api/orders"))
            return nameof(Orders);
        return changes && path.StartsWithSegments("/api/activity") ? nameof(Activity) : nameof(Other);
    }

    /// <summary>Which of them a request counts against for the device that it names; null where it names none.</summary>
    internal static string? OfDevice(PathString path) => path.StartsWithSegments(DevicesPath) ? nameof(Devices) : null;

    /// <summary>The limit of that name.</summary>
    internal RateLimit Named(string name) => name switch
    {
        nameof(Orders) => Orders,
        nameof(Activity) => Activity,
        nameof(SignIn) => SignIn,
        nameof(Devices) => Devices,
        _ => Other,
    };

    private static (string Limit, string Client)? BucketOfClient(HttpContext context) => OfClient(context.Request.Method, context.Request.Path) is { } limit
        ? (limit, context.User.FindFirst(ShopClaims.Subject)?.Value is { } shopper ? $"shopper {shopper}" : AddressOf(context))
        : null;

    private static (string Limit, string Client)? BucketOfDevice(HttpContext context) => OfDevice(context.Request.Path) is { } limit
        ? (limit, $"{AddressOf(context)} {SensorOf(context.Request.Path)}")
        : null;

    /// <summary>However its path is written; a name that is longer than any sensor's costs no more memory.</summary>
    private static string SensorOf(PathString path)
    {
        path.StartsWithSegments(DevicesPath, out var belowDevices);
        var sensor = belowDevices.Value!.Split('/', 2, StringSplitOptions.RemoveEmptyEntries) is [var first, ..] ? first : "";
        return sensor[..Math.Min(sensor.Length, MaxSensorLength)].ToUpperInvariant();
    }

    private static string AddressOf(HttpContext context) => ClientNetworks.NetworkOf(context.Connection.RemoteIpAddress ?? IPAddress.None).ToString();

    /// <summary>Limits every request to the gateway.</summary>
    internal static void Add(WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<RateLimits>().BindConfiguration(nameof(RateLimits)).Validate(AreRight, "RateLimits: PerSecond and Burst are from 1 to 1000000").ValidateOnStart();
        builder.Services.AddRateLimiter(_ => { });
        builder.Services.AddOptions<Microsoft.AspNetCore.RateLimiting.RateLimiterOptions>().Configure<IOptions<RateLimits>>((limiter, limits) =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            // a device that sends too much takes nothing from the others at its address
            limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(Limiter(limits.Value, BucketOfDevice), Limiter(limits.Value, BucketOfClient));
            limiter.OnRejected = async (rejected, _) =>
            {
                var context = rejected.HttpContext;
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
                context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                await context.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new()
                {
                    HttpContext = context,
                    ProblemDetails = { Status = StatusCodes.Status429TooManyRequests, Detail = "Too many requests at once. Try again after the time that Retry-After says." },
                });
            };
        });
    }

    private static PartitionedRateLimiter<HttpContext> Limiter(RateLimits limits, Func<HttpContext, (string Limit, string Client)?> bucketOf) =>
        PartitionedRateLimiter.Create<HttpContext, (string, string)>(context => bucketOf(context) is var (limit, client)
            ? RateLimitPartition.GetTokenBucketLimiter((limit, client), _ => BucketOf(limits.Named(limit)))
            : RateLimitPartition.GetNoLimiter(("", "")));

    private static TokenBucketRateLimiterOptions BucketOf(RateLimit limit)
    {
        // a slow bucket is filled less often rather than by less than one
        var perRefill = Math.Max(1, (int)(limit.PerSecond * Refill.TotalSeconds));
        return new() { TokenLimit = limit.Burst, TokensPerPeriod = perRefill, ReplenishmentPeriod = TimeSpan.FromSeconds((double)perRefill / limit.PerSecond), QueueLimit = 0 };
    }

    private static bool AreRight(RateLimits limits) => new[] { limits.Orders, limits.Activity, limits.SignIn, limits.Devices, limits.Other }
        .All(limit => Validator.TryValidateObject(limit, new(limit), null, validateAllProperties: true));
}
