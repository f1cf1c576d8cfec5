namespace Shop.KafkaBroker;

/// <summary>Produce (0): appends one batch to each of some partitions. Batches go from the request's bytes to the file as they are.</summary>
internal static class Produce
{
    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        if (version >= 3)
            input.NullableString(); // transactional id; a transactional batch is refused by the log
        var acks = input.Int16();
        input.Int32(); // timeout: there is nothing to wait for
        request.Answered = acks != 0;

        var topics = input.ArrayLength(6);
        output.ArrayLength(topics);
        for (var i = 0; i < topics; i++)
        {
            var name = input.String();
            var topic = request.Broker.FindTopic(name);
            output.String(name);
            var partitions = input.ArrayLength(8);
            output.ArrayLength(partitions);
            for (var j = 0; j < partitions; j++)
            {
                var partition = input.Int32();
                var result = Append(topic?.Log(partition), input.Bytes().Span, acks, version);
                output.Int32(partition);
                output.Error(result.Error);
                output.Int64(result.BaseOffset);
                if (version >= 2)
                    output.Int64(-1); // log append time: records keep their creators' timestamps
                if (version >= 5)
                    output.Int64(result.LogStartOffset);
                if (version >= 8)
                {
                    output.ArrayLength(0); // errors by record
                    output.String(null);
                }
            }
        }
        request.ThrottleTime(since: 1);
    }

    private static AppendResult Append(PartitionLog? log, Span<byte> batch, short acks, short version)
    {
        if (acks is not (-1 or 0 or 1))
            return new(ErrorCode.InvalidRequiredAcks, -1, -1);
        if (version < 7 && batch.Length > RecordBatch.HeaderSize && RecordBatch.Magic(batch) == 2 && RecordBatch.Codec(batch) == Codecs.Zstd)
            return new(ErrorCode.UnsupportedCompressionType, -1, -1); // consumers as old as this producer have no such codec
        return log?.Append(batch) ?? new(ErrorCode.UnknownTopicOrPartition, -1, -1);
    }
}
