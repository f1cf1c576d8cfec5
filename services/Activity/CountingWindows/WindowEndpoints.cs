using System.Net.ServerSentEvents;
using Microsoft.AspNetCore.Http.HttpResults;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Activity.CountingWindows;

/// <summary><c>GET /api/activity/summary</c>, <c>/series</c> and <c>/stream</c>: what happens in the shop, for operators.</summary>
internal static class WindowEndpoints
{
    /// <summary>Minutes that a request may ask for: 31 days in one window or by hour, a day by minute.</summary>
    public const int MaxMinutes = 31 * 24 * 60, MaxMinutesByMinute = 24 * 60;

    private const int DefaultMinutes = 60;
    private const string ByMinute = "minute", ByHour = "hour", RetryAfterSeconds = "5";

    public static void AddCountingWindows(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<WindowOptions>().BindConfiguration("Windows").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<WindowReader>();
        builder.Services.AddSingleton<CountedEvents>();
        builder.Services.AddWorker<SummaryBroadcast>("summary broadcast");
        builder.Services.AddPeriodicWorker<WindowCleanup>("window cleanup");
    }

    public static void MapCountingWindows(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/activity/summary", SummaryAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The last minutes in one window: orders, revenue, funnel, best sellers, payments held, alarms.");
        app.MapGet("/api/activity/series", SeriesAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The last minutes, each a window of its own, or by=hour.");
        app.MapGet("/api/activity/stream", StreamAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("The summary of the last hour each time it changes (server-sent events).")
            .WithDescription("It ends with the token that it was opened with. Each event is the whole summary, so there is nothing to go on after: whoever comes again has the newest at once.")
            .Produces<SseItem<ActivitySummary>>(StatusCodes.Status200OK, ServerSentEvents.ContentType)
            .WithProblem(StatusCodes.Status503ServiceUnavailable, "There is no room for another stream at the moment.");
    }

    private static async Task<Results<Ok<ActivitySummary>, ValidationProblem>> SummaryAsync(
        WindowReader windows, CancellationToken cancellationToken, int minutes = DefaultMinutes) =>
        minutes is < 1 or > MaxMinutes
            ? WrongMinutes(MaxMinutes)
            : TypedResults.Ok(await windows.SummaryAsync(minutes, cancellationToken));

    private static async Task<Results<Ok<IReadOnlyList<ActivitySummary>>, ValidationProblem>> SeriesAsync(
        WindowReader windows, CancellationToken cancellationToken, int minutes = DefaultMinutes, string by = ByMinute)
    {
        if (by is not (ByMinute or ByHour))
        {
            var errors = new ValidationErrors();
            errors.Add(nameof(by), $"Must be {ByMinute} or {ByHour}.");
            return errors.ToProblem();
        }
        var most = by == ByMinute ? MaxMinutesByMinute : MaxMinutes;
        if (minutes < 1 || minutes > most)
            return WrongMinutes(most);
        var size = by == ByMinute ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1);
        // whole hours
        return TypedResults.Ok(await windows.SeriesAsync((int)(Math.Ceiling(minutes / size.TotalMinutes) * size.TotalMinutes), size, cancellationToken));
    }

    /// <summary>The same bytes go to all listeners; only the pause between two signs of life is each one's own.</summary>
    private static async Task<IResult> StreamAsync(HttpContext context, SummaryBroadcast broadcast, TimeProvider time, CancellationToken cancellationToken)
    {
        using var listener = broadcast.Listen();
        if (listener is null)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, detail: "There is no room for another stream at the moment. Try again.");
        }
        using var tokenLife = new CancellationTokenSource(context.User.RestOfToken(time), time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, tokenLife.Token);
        ServerSentEvents.Begin(context.Response);
        try
        {
            for (var seen = 0L; await listener.NextAsync(seen, ended.Token) is { } next; seen = next.Number)
            {
                await context.Response.Body.WriteAsync(next.Number == seen ? ServerSentEvents.Comment : next.Bytes, ended.Token);
                await context.Response.Body.FlushAsync(ended.Token);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // the listener has gone, or its token has expired
        }
        return TypedResults.Empty;
    }

    private static ValidationProblem WrongMinutes(int most)
    {
        var errors = new ValidationErrors();
        errors.Add("minutes", $"Must be 1 to {most}.");
        return errors.ToProblem();
    }
}
