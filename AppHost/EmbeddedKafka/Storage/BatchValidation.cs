using System.Buffers.Binary;

namespace Shop.KafkaBroker;

/// <summary>
/// What a produced batch has to be so that every client can read it. Errors, and which of several comes first, are Apache
/// Kafka 4.3's, as tests compare them; stricter is only what concerns offsets and lengths of records that it takes
/// without a look, and that readers then stumble over.
/// </summary>
internal static class BatchValidation
{
    private const int SmallestHeader = 17;
    private const int SmallestLength = 14;
    private const long NoTimestamp = -1;

    /// <summary>Decides whether what a producer sent for one partition may be appended.</summary>
    /// <param name="produced">What was sent; cut to the batch itself, whose latest timestamp is corrected.</param>
    /// <param name="config">The topic's settings.</param>
    /// <param name="now">The present, in milliseconds since 1970.</param>
    public static ErrorCode Validate(ref Span<byte> produced, TopicConfig config, long now)
    {
        var error = TryFrame(produced, out var size);
        if (error != ErrorCode.None)
            return error;
        if (size == 0 || RecordBatch.Magic(produced) != 2)
            return ErrorCode.InvalidRecord;
        error = TryFrame(produced[size..], out var second);
        if (error != ErrorCode.None || second > 0)
            return error == ErrorCode.None ? ErrorCode.InvalidRecord : error;
        produced = produced[..size];
        if (size < RecordBatch.HeaderSize)
            return ErrorCode.CorruptMessage;
        error = ValidateHeader(produced, config.MaxMessageBytes);
        if (error != ErrorCode.None)
            return error;
        error = ValidateRecords(produced, config, now, out var maxTimestamp);
        if (error == ErrorCode.None)
            RecordBatch.CorrectTimestamp(produced, maxTimestamp);
        return error;
    }

    /// <summary>Finds out the size of a batch; 0 where bytes are no whole one, which then count as absent.</summary>
    private static ErrorCode TryFrame(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < RecordBatch.LengthOverhead)
            return ErrorCode.None;
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
        if (length < SmallestLength)
            return ErrorCode.CorruptMessage;
        if (bytes.Length < SmallestHeader)
            return ErrorCode.None;
        if (RecordBatch.Magic(bytes) > 2)
            return ErrorCode.CorruptMessage;
        if (length <= bytes.Length - RecordBatch.LengthOverhead)
            size = length + RecordBatch.LengthOverhead;
        return ErrorCode.None;
    }

    private static ErrorCode ValidateHeader(ReadOnlySpan<byte> batch, int maxSize)
    {
        var attributes = RecordBatch.Attributes(batch);
        if ((attributes & BatchAttributes.Transactional) != 0)
            return ErrorCode.TransactionalIdAuthorizationFailed; // there are no transactions
        if (RecordBatch.BaseOffset(batch) != 0)
            return ErrorCode.InvalidRecord;
        if (batch.Length > maxSize)
            return ErrorCode.MessageTooLarge;
        if (!RecordBatch.IsIntact(batch))
            return ErrorCode.CorruptMessage;
        var count = RecordBatch.Count(batch);
        return count <= 0 || RecordBatch.LastOffsetDelta(batch) != count - 1 || (attributes & BatchAttributes.Control) != 0
            || (RecordBatch.ProducerId(batch) >= 0 && RecordBatch.BaseSequence(batch) < 0)
            ? ErrorCode.InvalidRecord
            : ErrorCode.None;
    }

    private static ErrorCode ValidateRecords(ReadOnlySpan<byte> batch, TopicConfig config, long now, out long maxTimestamp)
    {
        maxTimestamp = NoTimestamp;
        var compressed = RecordBatch.Codec(batch) != 0;
        using var scratch = compressed ? new ResponseWriter() : null;
        ReadOnlySpan<byte> records;
        try
        {
            records = compressed ? Records.Uncompressed(batch, scratch!) : batch[RecordBatch.HeaderSize..];
        }
        catch (InvalidDataException)
        {
            return ErrorCode.UnknownServerError;
        }
        var baseTimestamp = RecordBatch.BaseTimestamp(batch);
        long? appendTime = (RecordBatch.Attributes(batch) & BatchAttributes.LogAppendTime) != 0 ? RecordBatch.MaxTimestamp(batch) : null;
        var (position, count, first, misplaced) = (0, RecordBatch.Count(batch), ErrorCode.None, false);
        for (var i = 0; i < count; i++)
        {
            var start = position;
            if (!Records.TryRead(records, ref position, out var record))
                return !compressed && Records.IsLengthEndless(records[start..]) ? ErrorCode.UnknownServerError : ErrorCode.InvalidRecord;
            misplaced |= record.OffsetDelta != i;
            var timestamp = appendTime ?? baseTimestamp + record.TimestampDelta;
            if (first == ErrorCode.None)
            {
                first = config.Compacted && record.KeyLength < 0 ? ErrorCode.InvalidRecord
                    : IsTimely(timestamp, config, now) ? ErrorCode.None
                    : ErrorCode.InvalidTimestamp;
            }
            maxTimestamp = Math.Max(maxTimestamp, timestamp);
        }
        if (position != records.Length)
            return ErrorCode.InvalidRecord;
        if (first != ErrorCode.None || !misplaced)
            return first;
        return compressed ? ErrorCode.UnknownServerError : ErrorCode.InvalidRecord;
    }

    private static bool IsTimely(long timestamp, TopicConfig config, long now)
    {
        var age = now - timestamp; // wraps for timestamps beyond all bounds, and is then out of them too
        return timestamp == NoTimestamp || (age <= config.TimestampBeforeMaxMilliseconds && -age <= config.TimestampAfterMaxMilliseconds);
    }
}
