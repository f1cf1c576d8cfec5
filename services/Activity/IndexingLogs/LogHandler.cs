using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Shop.Activity.ReadingEvents;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;

namespace Shop.Activity.IndexingLogs;

/// <summary>Keeps services' log lines, each once by the id of its event, and raises an alarm where errors come, in one transaction with it.</summary>
internal sealed class LogHandler(ActivityDb db, IOptions<LogOptions> options, TimeProvider time) : IRecordBatchHandler
{
    /// <inheritdoc/>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        var lines = records.Select(LogLine.From).OfType<LogLine>().ToArray();
        if (lines.Length == 0)
            return;
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        batch.BatchCommands.Add(Insert(lines));
        var kept = new HashSet<Guid>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                kept.Add(reader.GetGuid(0));
        }
        foreach (var errors in lines.Where(line => kept.Remove(line.EventId!.Value) && line.Level >= LogLine.Error).GroupBy(line => (line.Service, EventName: line.EventName ?? "")))
            await CountAsync(errors.Key.Service, errors.Key.EventName, [.. errors], cancellationToken);
    }

    /// <summary>A service's lines are in one partition, and so are counted by one instance at a time.</summary>
    private async Task CountAsync(string service, string eventName, LogLine[] errors, CancellationToken cancellationToken)
    {
        // locked: its alarm may be cleared at this moment
        var before = (await db.ErrorRates.FromSql($"SELECT * FROM error_rates WHERE service = {service} AND event_name = {eventName} FOR UPDATE").ToListAsync(cancellationToken)).FirstOrDefault();
        var rate = errors.Aggregate(before ?? new(service, eventName, errors[0].WrittenAt, errors[0].WrittenAt, 0, null), (rate, line) => rate.With(line.WrittenAt, options.Value.AlarmWindow));
        if (rate.IsToBeRaised(options.Value, time.GetUtcNow()))
        {
            rate = rate with { AlarmId = Guid.CreateVersion7(time.GetUtcNow()) };
            db.Publish(Raised(rate, await WithOrderAsync(errors[^1], cancellationToken)));
        }
        if (before is null)
            db.ErrorRates.Add(rate);
        else
            db.Entry(before).CurrentValues.SetValues(rate);
    }

    /// <summary>The line with the order that its trace is about, where it names none.</summary>
    private async Task<LogLine> WithOrderAsync(LogLine line, CancellationToken cancellationToken) =>
        line is { OrderId: null, TraceId: { } trace } && (await db.OrdersOfAsync([trace], cancellationToken)).TryGetValue(trace, out var order) ? line with { OrderId = order } : line;

    private AlarmRaised Raised(ErrorRate rate, LogLine line) => new(rate.AlarmId!.Value, AlarmKinds.ErrorRate, rate.Service, ErrorAlarms.SubjectOf(rate), ErrorAlarms.Expected(options.Value),
        $"{rate.Errors} errors, the last: {line.Message}{(line.TraceId is null ? "" : $" (trace {line.TraceId})")}{(line.OrderId is null ? "" : $" (order {line.OrderId})")}", rate.BeganAt);

    private static NpgsqlBatchCommand Insert(LogLine[] lines) => new("""
        INSERT INTO log_lines (written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped, event_id)
        SELECT written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped, event_id
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY
          AS line(written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped, event_id, ordinal)
        ORDER BY ordinal
        ON CONFLICT (event_id) DO NOTHING RETURNING event_id
        """)
    {
        Parameters =
        {
            SqlParameter.Column(lines, NpgsqlDbType.TimestampTz, l => l.WrittenAt),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.Service),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.Instance),
            SqlParameter.Column(lines, NpgsqlDbType.Integer, l => l.Level),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.EventName),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.Category),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.Message),
            SqlParameter.Column(lines, NpgsqlDbType.Json, l => l.Fields),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.Exception),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.TraceId),
            SqlParameter.Column(lines, NpgsqlDbType.Text, l => l.SpanId),
            SqlParameter.Column(lines, NpgsqlDbType.Uuid, l => l.OrderId),
            SqlParameter.Column(lines, NpgsqlDbType.Bigint, l => l.Dropped),
            SqlParameter.Column(lines, NpgsqlDbType.Uuid, l => l.EventId),
        },
    };
}
