using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;

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
            SqlParameter.Of(Id, NpgsqlDbType.Uuid), SqlParameter.Of(Endpoint, NpgsqlDbType.Text), SqlParameter.Of(Record.Topic, NpgsqlDbType.Text),
            SqlParameter.Of(Record.Partition, NpgsqlDbType.Integer), SqlParameter.Of(Record.Offset, NpgsqlDbType.Bigint), SqlParameter.Of(Record.Key, NpgsqlDbType.Text),
            SqlParameter.Of(EventId, NpgsqlDbType.Uuid), SqlParameter.Of(EventType, NpgsqlDbType.Text),
            SqlParameter.Of(StoredHeaders.Write(Record.Headers), NpgsqlDbType.Jsonb), SqlParameter.Of(Record.Body, NpgsqlDbType.Bytea),
            SqlParameter.Of(Failure.GetBaseException().GetType().FullName, NpgsqlDbType.Text), SqlParameter.Of(StorableText.Of(Failure.GetBaseException().Message, MaxMessage), NpgsqlDbType.Text),
            SqlParameter.Of(StorableText.Of(Failure.ToString(), MaxStackTrace), NpgsqlDbType.Text), SqlParameter.Of(FailedAt, NpgsqlDbType.TimestampTz),
        },
    };
}
