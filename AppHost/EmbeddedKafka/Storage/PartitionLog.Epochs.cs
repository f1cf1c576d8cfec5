namespace Shop.KafkaBroker;

/// <summary>
/// Leader epochs (KIP-320). A new one begins with every start of the broker, and each batch carries the one it was appended
/// in. A consumer that comes with an offset and its epoch is told where that epoch ends here: a log that lost its tail
/// ends it earlier, however long it has become since.
/// </summary>
internal sealed partial class PartitionLog
{
    /// <summary>Where an epoch's records end; -1 and -1 for an epoch that has not been yet.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public (int Epoch, long EndOffset) EndOfEpoch(int epoch)
    {
        while (true)
        {
            List<Segment> segments;
            long end;
            lock (_lock)
            {
                if (_closed || epoch < 0 || epoch > _broker.LeaderEpoch)
                    return (-1, -1);
                (segments, end) = ([.. _segments], NextOffset);
            }
            var looksAt = end;
            try
            {
                for (var i = segments.Count - 1; i >= 0; i--) // epochs never fall within a log
                {
                    looksAt = segments[i].BaseOffset;
                    if (segments[i].Length == 0)
                        continue;
                    if (segments[i].FindEpochAfter(epoch) is not { } later)
                        break;
                    end = later;
                }
                return (epoch, end);
            }
            catch (ObjectDisposedException)
            {
                // retention or compaction took the segment away: look again
            }
            catch (IOException failure)
            {
                Report(failure, looksAt);
                throw;
            }
        }
    }

    /// <summary>The leader epoch of the record at an offset; the present one at the end, and -1 where the log is damaged or cannot be read.</summary>
    public int LeaderEpochAt(long offset)
    {
        while (true)
        {
            try
            {
                lock (_lock)
                    return !_closed && offset < NextOffset && TryLocate(offset, out var segment, out var range) ? segment.LeaderEpochAt(range.Position) : _broker.LeaderEpoch;
            }
            catch (ObjectDisposedException)
            {
                _cursors.Clear();
            }
            catch (DamagedLogException damage)
            {
                if (!TryPass(damage, offset))
                    return -1;
            }
            catch (IOException failure)
            {
                Report(failure, offset);
                return -1;
            }
        }
    }
}
