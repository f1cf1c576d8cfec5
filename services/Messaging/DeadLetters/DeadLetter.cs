using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Messaging.DeadLetters;

/// <summary>A record that could not be handled, with everything needed to understand it and to play it again.</summary>
internal sealed record DeadLetter(Guid Id, string Endpoint, ConsumedRecord Record, Guid? EventId, string? EventType, Exception Failure, DateTimeOffset FailedAt)
{
    /// <summary>The most characters that are kept of an error; a message may hold the whole of what it complains about.</summary>
    public const int MaxMessage = 4_000, MaxStackTrace = 32_000;

    public static DeadLetter From(ConsumedRecord record, string endpoint, Exception failure, DateTimeOffset now)
    {
        CloudEvent? attributes = null;
        try
        {
            attributes = record.Event;
        }
        catch (FormatException)
        {
            // unreadable attributes may be the very cause; the raw headers are kept
        }
        return new(Guid.CreateVersion7(now), endpoint, record, attributes?.Id, attributes?.Type, failure, now);
    }

    public NpgsqlBatchCommand Insert() => new("""
        INSERT INTO dead_letters (id, endpoint, topic, partition, record_offset, key, event_id, event_type, headers, body, error_type, error_message, stack_trace, failed_at, status)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'parked')
        """)
    {
        Parameters =
        {
            Parameter(Id, NpgsqlDbType.Uuid), Parameter(Endpoint, NpgsqlDbType.Text), Parameter(Record.Topic, NpgsqlDbType.Text),
            Parameter(Record.Partition, NpgsqlDbType.Integer), Parameter(Record.Offset, NpgsqlDbType.Bigint), Parameter(Record.Key, NpgsqlDbType.Text),
            Parameter(EventId, NpgsqlDbType.Uuid), Parameter(EventType, NpgsqlDbType.Text),
            Parameter(StoredHeaders.Write(Record.Headers), NpgsqlDbType.Jsonb), Parameter(Record.Body, NpgsqlDbType.Bytea),
            Parameter(Failure.GetBaseException().GetType().FullName, NpgsqlDbType.Text), Parameter(StorableText.Of(Failure.GetBaseException().Message, MaxMessage), NpgsqlDbType.Text),
            Parameter(StorableText.Of(Failure.ToString(), MaxStackTrace), NpgsqlDbType.Text), Parameter(FailedAt, NpgsqlDbType.TimestampTz),
        },
    };

    private static NpgsqlParameter Parameter(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
