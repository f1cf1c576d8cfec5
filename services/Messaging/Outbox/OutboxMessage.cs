using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Events;

namespace Shop.Messaging.Outbox;

/// <summary>An event that waits in the outbox to be produced.</summary>
/// <param name="Id">Its row in the outbox, which gives it its place; zero until it is written.</param>
/// <param name="Topic">Where it goes.</param>
/// <param name="Key">The id of the aggregate it is about.</param>
/// <param name="Event">Its attributes.</param>
/// <param name="Body">Its data.</param>
internal readonly record struct OutboxMessage(long Id, string Topic, string Key, CloudEvent Event, byte[] Body)
{
    /// <summary>The largest event: a broker's default limit of 1 MiB for a record batch, less room for headers.</summary>
    public const int MaxBodyBytes = 960 * 1024;

    /// <summary>The shard that it is relayed with.</summary>
    public short Shard => OutboxShards.Of(Key);

    /// <summary>The record to produce, in the trace of <paramref name="traceParent"/>.</summary>
    public Message<byte[], byte[]> ToRecord(string? traceParent) => new()
    {
        Key = Encoding.UTF8.GetBytes(Key),
        Value = Body,
        Headers = (Event with { TraceParent = traceParent }).ToHeaders(),
        Timestamp = new Timestamp(Event.Time),
    };
}
