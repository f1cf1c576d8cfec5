using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Shop.Messaging.Streams;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Activity.CollectingActivity;

/// <summary>An item that was not taken.</summary>
/// <param name="Index">Its place in the array, from 0.</param>
/// <param name="Reason">What is wrong with it.</param>
internal sealed record RefusedItem(int Index, string Reason);

/// <summary>What became of the items.</summary>
/// <param name="Accepted">How many are on their topic.</param>
/// <param name="Refused">The others.</param>
internal sealed record CollectedActivity(int Accepted, IReadOnlyList<RefusedItem> Refused);

/// <summary><c>POST /api/activity</c>: what visitors do, straight to the topic <c>shopper-activity</c>, for anybody.</summary>
internal static class CollectActivityEndpoint
{
    public const string Path = "/api/activity";

    /// <summary>Items of one request.</summary>
    public const int MaxItems = 100;

    private const string RetryAfterSeconds = "1";

    public static void AddCollectingActivity(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<CollectingOptions>().BindConfiguration("Collecting").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(builder.Configuration.GetRequired(VisitorCookie.KeySetting, VisitorCookie.WithKey));
        builder.Services.AddSingleton<CollectingLimits>();
    }

    public static void MapCollectingActivity(this IEndpointRouteBuilder app) =>
        app.MapPost(Path, CollectAsync).AllowAnonymous()
            .WithSummary("What a visitor does: ProductViewed, ProductSearched, CartChanged and CheckoutStarted, up to 100 at once.")
            .WithRequestExample("""[{"type":"ProductViewed","sku":"mug-blue"},{"type":"CartChanged","sku":"mug-blue","quantity":2}]""")
            .WithProblem(StatusCodes.Status429TooManyRequests, "There is too much activity from one address, or from all: send less.")
            .WithProblem(StatusCodes.Status503ServiceUnavailable, "The broker is away, and the activity is not taken: send it again.");

    private static async Task<Results<Accepted<CollectedActivity>, ValidationProblem, ProblemHttpResult>> CollectAsync(
        JsonElement body, HttpContext context, VisitorCookie cookie, CollectingLimits limits, EventStream stream, TimeProvider time)
    {
        if (body.ValueKind != JsonValueKind.Array || body.GetArrayLength() is < 1 or > MaxItems)
        {
            var errors = new ValidationErrors();
            errors.Add("body", $"Must be an array of 1 to {MaxItems} items.");
            return errors.ToProblem();
        }
        if (!limits.TryTake(AddressOf(context), body.GetArrayLength()))
            return Later(context, StatusCodes.Status429TooManyRequests, "There is too much activity from your address, or from all: send less.");

        var visitor = cookie.VisitorOf(context, time.GetUtcNow());
        var events = new List<object>(body.GetArrayLength());
        var refused = new List<RefusedItem>();
        var index = 0;
        foreach (var item in body.EnumerateArray())
        {
            var (@event, reason) = ActivityRules.Read(item, visitor);
            if (@event is not null)
                events.Add(@event);
            else
                refused.Add(new(index, reason!));
            index++;
        }
        try
        {
            await stream.PublishAsync(events);
        }
        catch (EventsNotTakenException)
        {
            return Later(context, StatusCodes.Status503ServiceUnavailable, "Activity cannot be taken at the moment. Try again.");
        }
        return TypedResults.Accepted((string?)null, new CollectedActivity(events.Count, refused));
    }

    /// <summary>The client's own address, as the gateway saw it, which overwrites what a client says of itself.</summary>
    private static IPAddress AddressOf(HttpContext context) =>
        IPAddress.TryParse(context.Request.Headers["X-Forwarded-For"], out var forwarded) ? forwarded : context.Connection.RemoteIpAddress ?? IPAddress.None;

    private static ProblemHttpResult Later(HttpContext context, int status, string detail)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return TypedResults.Problem(statusCode: status, detail: detail);
    }
}
