using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;

namespace Shop.Activity.ListingAlarms;

/// <summary>Keeps the list of alarms, whichever service raised them.</summary>
internal sealed class AlarmHandler(ActivityDb db) : IRecordBatchHandler
{
    private const int LongestName = 200, LongestDetail = 8_000;

    private static readonly string RaisedType = TypeOf<AlarmRaised>(), ClearedType = TypeOf<AlarmCleared>();

    /// <inheritdoc/>
    public async Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction?)db.Database.CurrentTransaction?.GetDbTransaction());
        foreach (var alarm in records.Select(Read).OfType<Alarm>())
            batch.BatchCommands.Add(Write(alarm));
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The alarm as a record tells of it; null where it tells of none.</summary>
    internal static Alarm? Read(ConsumedRecord record)
    {
        try
        {
            if (record.Body is not null && record.Event.Type == RaisedType && JsonSerializer.Deserialize(record.Body, ContractsJson.Default.AlarmRaised) is { } raised)
                return new(raised.AlarmId, Name(raised.Kind), Name(raised.Service), Name(raised.Subject), raised.RaisedAt, null, Detail(raised.Expected, raised.Seen));
            if (record.Body is not null && record.Event.Type == ClearedType && JsonSerializer.Deserialize(record.Body, ContractsJson.Default.AlarmCleared) is { } cleared)
                return new(cleared.AlarmId, Name(cleared.Kind), Name(cleared.Service), Name(cleared.Subject), cleared.ClearedAt, cleared.ClearedAt, Detail(cleared.Expected, cleared.Seen));
        }
        catch (JsonException)
        {
            // the feed has it as it is
        }
        return null;
    }

    /// <summary>An alarm stays as it was raised and ends as it was cleared, in whichever order that is heard of.</summary>
    private static NpgsqlBatchCommand Write(Alarm alarm) => new("""
        INSERT INTO alarms (alarm_id, kind, service, subject, raised_at, cleared_at, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (alarm_id) DO UPDATE SET cleared_at = COALESCE(alarms.cleared_at, excluded.cleared_at), raised_at = least(alarms.raised_at, excluded.raised_at)
        """)
    {
        Parameters =
        {
            SqlParameter.Of(alarm.AlarmId), SqlParameter.Of(alarm.Kind), SqlParameter.Of(alarm.Service), SqlParameter.Of(alarm.Subject),
            SqlParameter.Of(alarm.RaisedAt.ToUniversalTime()), SqlParameter.Of(alarm.ClearedAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz), SqlParameter.Of(alarm.Detail),
        },
    };

    private static string Name(string? name) => StorableText.Of(name ?? "", LongestName);

    private static string Detail(string? expected, string? seen) => StorableText.Of($"expected: {expected}; seen: {seen}", LongestDetail);

    private static string TypeOf<T>() => Topics.Alarms.TryGetEvent(typeof(T), out var type) ? type.Name : throw new InvalidOperationException($"{typeof(T).Name} is not on {Topics.Alarms}");
}
