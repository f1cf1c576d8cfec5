using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Shop.Activity.ReadingEvents;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Activity.IndexingLogs;

/// <summary>A line, as an operator sees it; <c>order</c> is the one that it, or its trace, is about.</summary>
internal sealed record LogView(DateTimeOffset At, string Service, string Instance, string Level, string? Event, string Category, string Message, RawJson Fields,
    string? Exception, string? Trace, string? Span, Guid? Order, long Dropped);

/// <summary><c>GET /api/ops/logs</c>: all services' log lines, for operators.</summary>
internal static class LogEndpoints
{
    private const int DefaultLimit = 50, MaxLimit = 200, LongestText = 200;

    public static void AddIndexingLogs(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<LogOptions>().BindConfiguration("Logs").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddPeriodicWorker<ErrorAlarms>("error alarms");
        builder.Services.AddPeriodicWorker<LogCleanup>("log cleanup");
    }

    public static void MapIndexingLogs(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/ops/logs", GetAsync).RequireAuthorization(Policies.Operator)
            .WithSummary("Log lines of all services, newest first: by service, level and above, event name, trace, order and text.");

    private static async Task<Results<Ok<Page<LogView>>, ValidationProblem>> GetAsync(ActivityDb db, CancellationToken cancellationToken, string? service = null,
        string? level = null, string? @event = null, string? trace = null, Guid? order = null, string? text = null, long? after = null, int limit = DefaultLimit)
    {
        var errors = new ValidationErrors();
        var lowest = LogLine.LevelOf(level);
        if (level is not null && lowest is null)
            errors.Add("level", $"Must be {string.Join(", ", LogLine.Levels)}.");
        var traceId = TraceIds.Parse(trace);
        if (trace is not null && traceId is null)
            errors.Add("trace", TraceIds.Rule);
        foreach (var (name, value) in new[] { ("service", service), ("event", @event), ("text", text) })
        {
            if (value is not null && (value.Length is 0 or > LongestText || value.Contains('\0', StringComparison.Ordinal)))
                errors.Add(name, $"Must be a text of 1 to {LongestText} characters.");
        }
        errors.CheckLimit(limit, MaxLimit);
        if (errors.Any)
            return errors.ToProblem();

        var lines = db.LogLines.AsNoTracking();
        if (after is not null)
            lines = lines.Where(line => line.Position < after);
        if (service is not null)
            lines = lines.Where(line => line.Service == service);
        if (lowest is { } least)
            lines = lines.Where(line => line.Level >= least);
        if (@event is not null)
            lines = lines.Where(line => line.EventName == @event);
        if (traceId is not null)
            lines = lines.Where(line => line.TraceId == traceId);
        if (text is not null)
            lines = lines.Where(line => EF.Functions.ILike(line.Message, $"%{Escaped(text)}%", @"\"));
        if (order is { } id)
        {
            // an order's lines: those that name it, and those of the traces in which it was worked on
            var traces = await db.TracesOf(id.ToString()).ToListAsync(cancellationToken);
            lines = lines.Where(line => line.OrderId == id || traces.Contains(line.TraceId!));
        }
        var page = await lines.OrderByDescending(line => line.Position).Take(limit + 1).ToListAsync(cancellationToken);
        var orders = await db.OrdersOfAsync([.. page.Where(line => line is { OrderId: null, TraceId: not null }).Select(line => line.TraceId!).Distinct()], cancellationToken);
        return TypedResults.Ok(page.ToPage(limit, line => line.Position.ToString(CultureInfo.InvariantCulture), line => ViewOf(line, orders)));
    }

    private static LogView ViewOf(LogLine line, IReadOnlyDictionary<string, Guid> orders) => new(line.WrittenAt, line.Service, line.Instance, LogLine.Levels[line.Level], line.EventName,
        line.Category, line.Message, new(line.Fields), line.Exception, line.TraceId, line.SpanId,
        line.OrderId ?? (line.TraceId is { } trace && orders.TryGetValue(trace, out var order) ? order : null), line.Dropped);

    private static string Escaped(string text) => text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal);
}
