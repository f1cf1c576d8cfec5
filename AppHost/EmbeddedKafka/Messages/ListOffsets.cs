namespace Shop.KafkaBroker;

/// <summary>ListOffsets (2): the first offset, the next offset, or the first offset at or after a time.</summary>
internal static class ListOffsets
{
    private const long Latest = -1;
    private const long Earliest = -2;

    public static void Handle(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        input.Int32(); // replica id
        if (version >= 2)
            input.Int8(); // isolation level
        request.ThrottleTime(since: 2);
        var topics = input.ArrayLength(6);
        output.ArrayLength(topics);
        for (var i = 0; i < topics; i++)
        {
            var name = input.String();
            output.String(name);
            var partitions = input.ArrayLength(12);
            output.ArrayLength(partitions);
            for (var j = 0; j < partitions; j++)
            {
                var partition = input.Int32();
                var leaderEpoch = version >= 4 ? input.Int32() : -1;
                var timestamp = input.Int64();
                if (version == 0)
                    input.Int32(); // how many offsets at most
                var log = request.Broker.FindLog(name, partition);
                var (error, offset, at) = log is null ? (ErrorCode.UnknownTopicOrPartition, -1, -1)
                    : request.Broker.CheckLeaderEpoch(leaderEpoch) is not ErrorCode.None and var refused ? (refused, -1, -1)
                    : Find(log, timestamp);
                output.Int32(partition);
                output.Error(error);
                if (version == 0)
                {
                    output.ArrayLength(offset < 0 ? 0 : 1);
                    if (offset >= 0)
                        output.Int64(offset);
                    continue;
                }
                output.Int64(at);
                output.Int64(offset);
                if (version >= 4)
                    output.Int32(error == ErrorCode.None && offset >= 0 ? log!.LeaderEpochAt(offset) : -1);
            }
        }
    }

    private static (ErrorCode Error, long Offset, long Timestamp) Find(PartitionLog log, long timestamp) => timestamp switch
    {
        Latest => (ErrorCode.None, log.NextOffset, -1),
        Earliest => (ErrorCode.None, log.LogStartOffset, -1),
        < 0 => (ErrorCode.UnsupportedVersion, -1, -1),
        _ => FindTime(log, timestamp),
    };

    private static (ErrorCode Error, long Offset, long Timestamp) FindTime(PartitionLog log, long timestamp)
    {
        try
        {
            return log.FindTime(timestamp) is var (offset, at) ? (ErrorCode.None, offset, at) : (ErrorCode.None, -1, -1);
        }
        catch (IOException)
        {
            return (ErrorCode.KafkaStorageError, -1, -1);
        }
    }
}
