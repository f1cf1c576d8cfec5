using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Messaging.Workers;
using Shop.Orders.FulfillingOrder;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RecordingHistory;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Orders.StreamingOrders;

/// <summary>An event of an order, as its stream shows it.</summary>
/// <param name="Sequence">Its place in the order's history, from 1: also the id of the server-sent event.</param>
/// <param name="Type">Its CloudEvents type.</param>
/// <param name="At">When it happened.</param>
/// <param name="Topic">The topic it was published to.</param>
/// <param name="Partition">The topic's partition.</param>
/// <param name="Offset">The partition's offset.</param>
/// <param name="Id">The event's own id.</param>
/// <param name="CausationId">The event that caused it; null where there is none.</param>
/// <param name="Status">The order's status after it, as in <see cref="OrderView"/>.</param>
/// <param name="Data">What was published, as its shopper may see it.</param>
public sealed record OrderChange(int Sequence, string Type, DateTimeOffset At, string Topic, int Partition, long Offset, Guid Id, Guid? CausationId,
    string Status, RawJson Data);

/// <summary><c>GET /api/orders/{id}/stream</c>: the order's events as they happen.</summary>
public static class StreamOrderEndpoint
{
    /// <summary>The header by which a client that was cut off says what it has seen. Source: HTML Standard, section 9.2, server-sent events.</summary>
    public const string LastEventIdHeader = "Last-Event-ID";

    private const string RetryAfterSeconds = "5";

    /// <summary>Adds the options and the watcher.</summary>
    public static void AddStreamingOrder(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<StreamOptions>().BindConfiguration("Streams").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddWorker<OrderWatcher>("order watcher");
    }

    /// <summary>Maps the endpoint.</summary>
    public static void MapStreamingOrder(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/api/orders/{id:guid}/stream", StreamAsync).RequireAuthorization()
            .WithSummary("The order's events as they happen (server-sent events); Last-Event-ID resumes.")
            .WithDescription("It ends with the order, and with the token that it was opened with; 204: the event of Last-Event-ID was its last, and nothing comes any more.")
            .WithRequestHeader(LastEventIdHeader, "The `id` of the last event that was seen: the stream begins after it. Without it, it begins with the order's first event.")
            .WithProblem(StatusCodes.Status429TooManyRequests, "The shopper has too many streams open: close one.")
            .WithProblem(StatusCodes.Status503ServiceUnavailable, "There is no room for another stream at the moment.");

    /// <summary>
    /// Every event of the order's history after the last one that the client has seen, each once and in order, up to the end of the order, which
    /// ends the stream. Whoever asks for more after that is answered with 204, which tells an EventSource to stop.
    /// </summary>
    private static async Task<Results<ServerSentEventsResult<OrderChange>, NoContent, NotFound, ValidationProblem, ProblemHttpResult>> StreamAsync(
        Guid id, [FromHeader(Name = LastEventIdHeader)] string? lastEventId, HttpContext context, OrderWatcher watcher, IServiceScopeFactory scopes,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var shopperId = context.User.ShopperId();
        if (await HistoryAsync(scopes, id, shopperId, cancellationToken) is not { } history)
            return TypedResults.NotFound();
        if (!TryParse(lastEventId, history.Count, out var seen))
        {
            var errors = new ValidationErrors();
            errors.Add(LastEventIdHeader, "Must be the id of an event of this stream.");
            return errors.ToProblem();
        }
        var state = history.Take(seen).Aggregate(nameof(OrderFulfilment.Submitted), StateAfter);
        if (OrderStatus.IsEnd(state))
            return TypedResults.NoContent();

        if (watcher.Subscribe(shopperId, id, history.Count, out var refusal) is not { } subscription)
            return Refused(refusal, context.Response);
        context.Response.RegisterForDispose(subscription);
        context.Response.Headers[ServerSentEvents.BufferingHeader] = "no";
        var tokenLife = new CancellationTokenSource(context.User.RestOfToken(time), time);
        context.Response.RegisterForDispose(tokenLife);
        return TypedResults.ServerSentEvents(ChangesAsync(context.Response, history.Skip(seen).ToList(), state, subscription, tokenLife.Token));
    }

    /// <summary>The order's history so far; null where the shopper has no such order.</summary>
    /// <remarks>In a scope of its own: the request's would keep the DbContext for as long as the stream is open.</remarks>
    private static async Task<List<OrderEvent>?> HistoryAsync(IServiceScopeFactory scopes, Guid id, string shopperId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<OrdersDb>();
        return await db.Orders.Where(order => order.CorrelationId == id && order.ShopperId == shopperId)
            .Select(order => db.OrderEvents.Where(e => e.OrderId == order.CorrelationId).OrderBy(e => e.Sequence).ToList())
            .AsNoTracking().SingleOrDefaultAsync(cancellationToken);
    }

    private static async IAsyncEnumerable<SseItem<OrderChange>> ChangesAsync(HttpResponse response, IReadOnlyList<OrderEvent> missed, string state,
        OrderSubscription subscription, CancellationToken tokenLife, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // whoever reads on has to show a new token; the request itself is not cut off, so that its last event arrives whole
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(tokenLife, cancellationToken);
        // the answer begins now, also where nothing has happened yet
        await WriteCommentAsync(response, cancellationToken);
        for (var events = missed; events is not null; events = await subscription.NextAsync(reading.Token))
        {
            if (events.Count == 0)
                await WriteCommentAsync(response, cancellationToken);
            foreach (var e in events)
            {
                state = StateAfter(state, e);
                yield return new(ChangeOf(e, state)) { EventId = e.Sequence.ToString(CultureInfo.InvariantCulture) };
                if (OrderStatus.IsEnd(state))
                    yield break;
            }
        }
    }

    /// <summary>Writes a line that clients ignore and proxies count as traffic. The items' writer waits for the next item meanwhile.</summary>
    private static async Task WriteCommentAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(ServerSentEvents.Comment, cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    private static string StateAfter(string state, OrderEvent e) => OrderFolding.StateAfter(state, e.Type)!;

    private static OrderChange ChangeOf(OrderEvent e, string state) =>
        new(e.Sequence, e.Type, e.At, e.Topic, e.Partition, e.Offset, e.EventId, e.CausationId, OrderStatus.Of(state),
            new(EventPrivacy.ToShopper(e.Type, e.Data)));

    private static bool TryParse(string? lastEventId, int last, out int seen)
    {
        seen = 0;
        return string.IsNullOrEmpty(lastEventId)
            || int.TryParse(lastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out seen) && seen >= 1 && seen <= last;
    }

    private static ProblemHttpResult Refused(StreamRefusal refusal, HttpResponse response)
    {
        response.Headers.RetryAfter = RetryAfterSeconds;
        return refusal == StreamRefusal.TooManyOfShopper
            ? TypedResults.Problem(statusCode: StatusCodes.Status429TooManyRequests, detail: "You have too many streams open: close one first.")
            : TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, detail: "There is no room for another stream at the moment. Try again.");
    }
}
