using System.Globalization;

namespace Shop.KafkaBroker;

/// <summary>What became of a produced batch.</summary>
internal readonly record struct AppendResult(ErrorCode Error, long BaseOffset, long LogStartOffset);

/// <summary>What a fetch found, besides the records themselves.</summary>
internal readonly record struct ReadResult(ErrorCode Error, long NextOffset, long LogStartOffset, int Bytes);

/// <summary>
/// The log of one partition: segments on disk, the offsets they hold, and the idempotent producers that wrote them. A
/// batch is acknowledged once it is in the system's page cache, which outlives this process; with
/// <see cref="EmbeddedKafkaOptions.FlushEveryAppend"/> once it is on the disk.
/// </summary>
internal sealed partial class PartitionLog : IDisposable
{
    private const string CleanFile = "clean";
    private readonly Lock _lock = new();
    private readonly string _directory;
    private readonly Topic _topic;
    private readonly Broker _broker;
    private readonly ProducerStates _producers = new();
    private readonly List<FetchWaiter> _waiters = [];
    private readonly ReadCursors _cursors = new();
    private List<Segment> _segments = [];
    private long _segmentBegan;
    private bool _closed;

    /// <summary>Opens the log in a directory, recovering it where the last process did not close it.</summary>
    public PartitionLog(Broker broker, Topic topic, int partition, long logStartOffset)
    {
        _broker = broker;
        _topic = topic;
        Partition = partition;
        _directory = Path.Combine(topic.Directory, partition.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(_directory);
        Compaction.Recover(_directory);
        Recover(logStartOffset);
        LogStartOffset = Math.Max(logStartOffset, _segments[0].BaseOffset);
        _segmentBegan = Now;
    }

    public int Partition { get; }

    /// <summary>The first offset that can be read.</summary>
    public long LogStartOffset { get; private set; }

    /// <summary>The offset that the next record will get: with one replica, the high watermark.</summary>
    public long NextOffset { get; private set; }

    private Segment Active => _segments[^1];

    private long Now => _broker.Options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Checks a batch and appends it; a repeat of an idempotent producer gets the offset it already has.</summary>
    /// <param name="batch">The batch as it came; its offset is written into it.</param>
    public AppendResult Append(Span<byte> batch)
    {
        var error = BatchValidation.Validate(ref batch, _topic.Config, Now);
        if (error != ErrorCode.None)
            return new(error, -1, LogStartOffset);
        lock (_lock)
        {
            if (_closed)
                return new(ErrorCode.UnknownTopicOrPartition, -1, -1);
            error = _producers.Check(batch, out var duplicateOf);
            if (error != ErrorCode.None || duplicateOf is not null)
                return new(error, duplicateOf ?? -1, LogStartOffset);
            RecordBatch.Place(batch, NextOffset, _broker.LeaderEpoch);
            try
            {
                if (NeedsRoll(batch))
                    Roll();
                Active.Append(batch, _broker.Options.FlushEveryAppend);
            }
            catch (IOException failure)
            {
                _broker.WriteFailed(failure);
                return new(ErrorCode.KafkaStorageError, -1, LogStartOffset);
            }
            _broker.WriteSucceeded();
            var baseOffset = NextOffset;
            NextOffset = Active.NextOffset;
            _producers.Appended(batch, Now);
            foreach (var waiter in _waiters)
                waiter.Appended(batch.Length);
            return new(ErrorCode.None, baseOffset, LogStartOffset);
        }
    }

    /// <summary>Reads whole batches from the one that holds an offset on.</summary>
    /// <param name="offset">The offset wanted; when it is within a batch, the whole batch is returned.</param>
    /// <param name="maxBytes">The most bytes to read.</param>
    /// <param name="oneBatchAtLeast">Whether the first batch is returned even when it is larger than that (KIP-74).</param>
    /// <param name="output">Where the batches go.</param>
    public ReadResult Read(long offset, int maxBytes, bool oneBatchAtLeast, ResponseWriter output)
    {
        while (true)
        {
            var (nextOffset, logStart) = (-1L, -1L);
            try
            {
                Segment segment;
                ReadRange range;
                lock (_lock)
                {
                    if (_closed)
                        return new(ErrorCode.UnknownTopicOrPartition, -1, -1, 0);
                    (nextOffset, logStart) = (NextOffset, LogStartOffset);
                    if (offset < logStart || offset > nextOffset)
                        return new(ErrorCode.OffsetOutOfRange, nextOffset, logStart, 0);
                    if (offset == nextOffset || !TryLocate(offset, out segment, out range))
                        return new(ErrorCode.None, nextOffset, logStart, 0);
                }
                var bytes = BatchReader.Read(segment, range, maxBytes, oneBatchAtLeast, output, out var after);
                if (bytes > 0)
                    _cursors.Remember(new(after, segment, range.Position + bytes));
                return new(ErrorCode.None, nextOffset, logStart, bytes);
            }
            catch (ObjectDisposedException)
            {
                _cursors.Clear(); // retention or compaction took the segment away under the read: look again
            }
            catch (DamagedLogException damage)
            {
                if (!TryPass(damage, offset))
                    return new(ErrorCode.CorruptMessage, nextOffset, logStart, 0);
            }
            catch (IOException failure)
            {
                Report(failure, offset);
                return new(ErrorCode.KafkaStorageError, nextOffset, logStart, 0);
            }
        }
    }

    /// <summary>Registers a fetch to be woken by appends, unless something was appended after it looked.</summary>
    public void Wait(FetchWaiter waiter, long seenNextOffset)
    {
        lock (_lock)
        {
            if (_closed || NextOffset != seenNextOffset)
                waiter.Wake();
            _waiters.Add(waiter);
        }
    }

    public void StopWaiting(FetchWaiter waiter)
    {
        lock (_lock)
            _waiters.Remove(waiter);
    }

    /// <summary>Deletes the records before an offset; -1 deletes all there are.</summary>
    /// <exception cref="IOException">That could not be kept; nothing was deleted.</exception>
    public ErrorCode DeleteBefore(long offset)
    {
        lock (_lock)
        {
            offset = offset == -1 ? NextOffset : offset;
            if (offset < 0 || offset > NextOffset)
                return ErrorCode.OffsetOutOfRange;
        }
        if (offset > LogStartOffset)
        {
            _broker.KeepLogStart(_topic, Partition, offset);
            lock (_lock)
                LogStartOffset = Math.Max(LogStartOffset, offset);
        }
        return ErrorCode.None;
    }

    /// <summary>Forces what was appended to the disk.</summary>
    public void Flush()
    {
        Segment active;
        lock (_lock)
        {
            if (_closed)
                return;
            active = Active;
        }
        try
        {
            active.Flush();
        }
        catch (ObjectDisposedException)
        {
            // the topic was deleted meanwhile
        }
        catch (IOException failure)
        {
            _broker.WriteFailed(failure);
        }
    }

    /// <summary>Closes the log so that the next process can open it without a scan.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_closed)
                return;
            try
            {
                Active.Seal();
                Checkpoint.Write(_broker.Options.Disk, CleanPath, _producers, NextOffset);
            }
            catch (IOException failure)
            {
                _broker.WriteFailed(failure); // the next process recovers the log
            }
            Abandon();
        }
    }

    /// <summary>Closes the files without making them durable, for a topic that is deleted.</summary>
    public void Dispose()
    {
        lock (_lock)
            Abandon();
    }

    private void Abandon()
    {
        _closed = true;
        foreach (var waiter in _waiters)
            waiter.Wake();
        foreach (var segment in _segments)
            segment.Dispose();
    }

    private bool TryLocate(long offset, out Segment segment, out ReadRange range)
    {
        if (_cursors.TryFind(offset, out segment!, out var position) && position < segment.Length)
        {
            range = segment.RangeFrom(position, offset);
            return true;
        }
        range = default;
        for (var i = SegmentOf(offset); i < _segments.Count; i++)
        {
            segment = _segments[i];
            if (segment.TryFind(offset, out range))
                return true; // else compaction removed everything from here to the segment's end
        }
        return false;
    }

    /// <summary>The index of the last segment that begins at or before an offset.</summary>
    private int SegmentOf(long offset)
    {
        var (low, high) = (0, _segments.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_segments[middle].BaseOffset <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        return Math.Max(low - 1, 0);
    }

    private bool NeedsRoll(ReadOnlySpan<byte> batch) => Active.Length > 0 &&
        // behind damage a start after a kill cannot be sure that only the end is torn
        (Active.IsDamaged
            || Active.Length + batch.Length > _topic.Config.SegmentBytes
            || Now - _segmentBegan > _topic.Config.SegmentMilliseconds
            || RecordBatch.LastOffset(batch) - Active.BaseOffset > int.MaxValue);

    private void Roll()
    {
        var disk = _broker.Options.Disk;
        Checkpoint.Write(disk, CheckpointPath(NextOffset), _producers, NextOffset);
        var (full, next) = (Active, Segment.Create(disk, _directory, NextOffset));
        try
        {
            full.Seal();
        }
        catch
        {
            next.Delete(); // a later attempt may be at another offset
            throw;
        }
        _segments.Add(next);
        _segmentBegan = Now;
        disk.Delete(CheckpointPath(full.BaseOffset));
    }

    private string CheckpointPath(long offset) => Path.Combine(_directory, $"{offset:D20}.producers");
}
