using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;
using Shop.Activity.StoringEvents;

namespace Shop.Activity.RebuildingFeed;

/// <summary>
/// Copies events into a table in the binary format of <c>COPY</c>: a row at a time into a buffer, the buffer to the server. Half of what a
/// rebuild takes of the processor would go into the calls for each value that an importer of typed columns needs.
/// </summary>
/// <remarks>Source: PostgreSQL's documentation of COPY, "Binary Format".</remarks>
internal static class EventCopy
{
    private const int FlushAt = 128 * 1024;
    private const short Columns = 13;

    /// <summary>Time zero of <c>timestamptz</c>, in microseconds since year 1.</summary>
    private static readonly long Epoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Adds events to a table of the feed's events, in their order.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, string table, IReadOnlyList<StoredEvent> events, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(FlushAt + 16 * 1024);
        await using var copy = await connection.BeginRawBinaryCopyAsync(
            $"COPY {table} (event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, data, malformed) FROM STDIN (FORMAT binary)", cancellationToken);
        WriteHeader(buffer);
        foreach (var stored in events)
        {
            Write(buffer, stored);
            if (buffer.WrittenCount < FlushAt)
                continue;
            await copy.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }
        Write(buffer, (short)-1);
        await copy.WriteAsync(buffer.WrittenMemory, cancellationToken);
    }

    private static void WriteHeader(ArrayBufferWriter<byte> buffer)
    {
        ReadOnlySpan<byte> signature = [.. "PGCOPY\n"u8, 0xFF, .. "\r\n\0"u8];
        buffer.Write<byte>(signature);
        // no flags, and no more of a header
        buffer.Write<byte>([0, 0, 0, 0, 0, 0, 0, 0]);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, StoredEvent stored)
    {
        Write(buffer, Columns);
        Write(buffer, stored.EventId);
        Write(buffer, stored.Type);
        Write(buffer, stored.Topic);
        WriteInt32(buffer, sizeof(int));
        WriteInt32(buffer, stored.Partition);
        Write(buffer, stored.Offset);
        Write(buffer, stored.Key);
        Write(buffer, stored.Source);
        Write(buffer, stored.Subject);
        Write(buffer, (stored.At.UtcTicks / TimeSpan.TicksPerMicrosecond) - Epoch);
        if (stored.CausationId is { } cause)
            Write(buffer, cause);
        else
            WriteInt32(buffer, -1);
        Write(buffer, stored.TraceParent);
        Write(buffer, stored.Data);
        WriteInt32(buffer, 1);
        buffer.Write<byte>([(byte)(stored.Malformed ? 1 : 0)]);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, string? text)
    {
        if (text is null)
        {
            WriteInt32(buffer, -1);
            return;
        }
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        var span = buffer.GetSpan(sizeof(int) + most);
        var length = Encoding.UTF8.GetBytes(text, span[sizeof(int)..]);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        buffer.Advance(sizeof(int) + length);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, Guid id)
    {
        WriteInt32(buffer, 16);
        id.TryWriteBytes(buffer.GetSpan(16), bigEndian: true, out _);
        buffer.Advance(16);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, long number)
    {
        WriteInt32(buffer, sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(sizeof(long)), number);
        buffer.Advance(sizeof(long));
    }

    /// <summary>The number of a row's columns, which has no length of its own.</summary>
    private static void Write(ArrayBufferWriter<byte> buffer, short columns)
    {
        BinaryPrimitives.WriteInt16BigEndian(buffer.GetSpan(sizeof(short)), columns);
        buffer.Advance(sizeof(short));
    }

    private static void WriteInt32(ArrayBufferWriter<byte> buffer, int number)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer.GetSpan(sizeof(int)), number);
        buffer.Advance(sizeof(int));
    }
}
