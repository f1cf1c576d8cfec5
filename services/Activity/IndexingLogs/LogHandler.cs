using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;

namespace Shop.Activity.IndexingLogs;

/// <summary>Keeps services' log lines, and raises an alarm where errors come, in one transaction with it.</summary>
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
        await batch.ExecuteNonQueryAsync(cancellationToken);
        foreach (var errors in lines.Where(line => line.Level >= LogLine.Error).GroupBy(line => (line.Service, EventName: line.EventName ?? "")))
            await CountAsync(errors.Key.Service, errors.Key.EventName, [.. errors], cancellationToken);
    }

    /// <summary>A service's lines are in one partition, and so are counted by one instance at a time.</summary>
    private async Task CountAsync(string service, string eventName, LogLine[] errors, CancellationToken cancellationToken)
    {
        var before = await db.ErrorRates.FirstOrDefaultAsync(rate => rate.Service == service && rate.EventName == eventName, cancellationToken);
        var rate = errors.Aggregate(before ?? new(service, eventName, errors[0].WrittenAt, errors[0].WrittenAt, 0, null), (rate, line) => rate.With(line.WrittenAt, options.Value.AlarmWindow));
        if (rate.IsToBeRaised(options.Value, time.GetUtcNow()))
        {
            rate = rate with { AlarmId = Guid.CreateVersion7(time.GetUtcNow()) };
            db.Publish(Raised(rate, errors[^1]));
        }
        if (before is null)
            db.ErrorRates.Add(rate);
        else
            db.Entry(before).CurrentValues.SetValues(rate);
    }

    private AlarmRaised Raised(ErrorRate rate, LogLine line) => new(rate.AlarmId!.Value, AlarmKinds.ErrorRate, rate.Service, ErrorAlarms.SubjectOf(rate), ErrorAlarms.Expected(options.Value),
        $"{rate.Errors} errors, the last: {line.Message}{(line.TraceId is null ? "" : $" (trace {line.TraceId})")}{(line.OrderId is null ? "" : $" (order {line.OrderId})")}", rate.BeganAt);

    private static NpgsqlBatchCommand Insert(LogLine[] lines) => new("""
        INSERT INTO log_lines (written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped)
        SELECT written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) WITH ORDINALITY
          AS line(written_at, service, instance, level, event_name, category, message, fields, exception, trace_id, span_id, order_id, dropped, ordinal)
        ORDER BY ordinal
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
        },
    };
}
