namespace Shop.KafkaBroker;

/// <summary>
/// Fetch (1): reads batches, and waits for more when there are fewer bytes than wanted (KIP-74 for the limits). Fetch
/// sessions (KIP-227) are declined by session id 0, which every client accepts.
/// </summary>
internal static class Fetch
{
    /// <summary>The most one answer holds, in bytes, whatever the client allows; one larger batch is still returned whole.</summary>
    private const int MaxAnswer = 8 * 1024 * 1024;

    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(1);

    private readonly record struct Wanted(int Partition, int LeaderEpoch, long Offset, int MaxBytes);

    private readonly record struct WantedTopic(string Name, Wanted[] Partitions);

    public static async ValueTask HandleAsync(Request request)
    {
        var (input, output, version) = (request.In, request.Out, request.Version);
        input.Int32(); // replica id
        var maxWait = TimeSpan.FromMilliseconds(Math.Clamp(input.Int32(), 0, MaxWait.TotalMilliseconds));
        var minBytes = input.Int32();
        var maxBytes = version >= 3 ? Math.Min(input.Int32(), MaxAnswer) : MaxAnswer;
        if (version >= 4)
            input.Int8(); // isolation level: without transactions both are the same
        var sessionId = version >= 7 ? input.Int32() : 0;
        if (version >= 7)
            input.Int32(); // session epoch
        var topics = input.Array(6, r => new WantedTopic(r.String(), r.Array(16, r => ReadPartition(r, version))));

        request.ThrottleTime(since: 1);
        if (version >= 7)
        {
            output.Error(sessionId == 0 ? ErrorCode.None : ErrorCode.FetchSessionIdNotFound);
            output.Int32(0);
            if (sessionId != 0)
            {
                output.ArrayLength(0);
                return;
            }
        }
        var start = output.Length;
        var seen = new List<(PartitionLog Log, long NextOffset)>();
        var bytes = Write(request, topics, maxBytes, seen, out var failed);
        if (bytes >= minBytes || failed || maxWait == TimeSpan.Zero || seen.Count == 0)
            return;
        await WaitAsync(request, seen, minBytes - bytes, maxWait);
        request.Disconnected.ThrowIfCancellationRequested();
        output.Truncate(start);
        Write(request, topics, maxBytes, [], out _);
    }

    private static Wanted ReadPartition(RequestReader r, short version)
    {
        var partition = r.Int32();
        var leaderEpoch = version >= 9 ? r.Int32() : -1;
        var offset = r.Int64();
        if (version >= 5)
            r.Int64(); // a follower's log start
        return new(partition, leaderEpoch, offset, r.Int32());
    }

    private static async Task WaitAsync(Request request, List<(PartitionLog Log, long NextOffset)> seen, int wantedBytes, TimeSpan maxWait)
    {
        var waiter = new FetchWaiter(wantedBytes);
        foreach (var (log, nextOffset) in seen)
            log.Wait(waiter, nextOffset);
        await using (request.Broker.Options.TimeProvider.CreateTimer(static waiter => ((FetchWaiter)waiter!).Wake(), waiter, maxWait, Timeout.InfiniteTimeSpan))
        await using (request.Disconnected.UnsafeRegister(static waiter => ((FetchWaiter)waiter!).Wake(), waiter))
            await waiter.Task;
        foreach (var (log, _) in seen)
            log.StopWaiting(waiter);
    }

    private static int Write(Request request, WantedTopic[] topics, int maxBytes, List<(PartitionLog Log, long NextOffset)> seen, out bool failed)
    {
        var (output, version, total) = (request.Out, request.Version, 0);
        failed = false;
        output.ArrayLength(topics.Length);
        foreach (var (name, partitions) in topics)
        {
            var topic = request.Broker.FindTopic(name);
            output.String(name);
            output.ArrayLength(partitions.Length);
            foreach (var wanted in partitions)
            {
                output.Int32(wanted.Partition);
                var header = output.Length;
                var size = header + (version >= 11 ? 34 : version >= 5 ? 30 : version >= 4 ? 22 : 10);
                output.Reserve(size - header + 4).Clear();
                output.Advance(size - header + 4);
                var log = topic?.Log(wanted.Partition);
                var result = version < 4 ? new(ErrorCode.UnsupportedVersion, -1, -1, 0)
                    : request.Broker.CheckLeaderEpoch(wanted.LeaderEpoch) is not ErrorCode.None and var refused ? new(refused, -1, -1, 0)
                    : log?.Read(wanted.Offset, Math.Min(wanted.MaxBytes, maxBytes - total), total == 0, output)
                    ?? new(ErrorCode.UnknownTopicOrPartition, -1, -1, 0);
                total += result.Bytes;
                failed |= result.Error != ErrorCode.None;
                if (result.Error == ErrorCode.None)
                    seen.Add((log!, result.NextOffset));
                WritePartitionHeader(output, version, header, result);
            }
        }
        return total;
    }

    /// <summary>Writes what precedes the records, behind which they have been read already.</summary>
    private static void WritePartitionHeader(ResponseWriter output, short version, int position, ReadResult result)
    {
        var end = output.Length;
        output.Truncate(position);
        output.Error(result.Error);
        output.Int64(result.NextOffset); // high watermark
        if (version >= 4)
            output.Int64(result.NextOffset); // last stable offset
        if (version >= 5)
            output.Int64(result.LogStartOffset);
        if (version >= 4)
            output.ArrayLength(-1); // aborted transactions
        if (version >= 11)
            output.Int32(-1); // preferred replica
        output.Int32(result.Bytes);
        output.Truncate(end);
    }
}
