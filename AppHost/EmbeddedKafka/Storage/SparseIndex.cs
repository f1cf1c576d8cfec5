using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>Where in a segment's file a batch starts, and the latest timestamp up to and including it.</summary>
/// <param name="RelativeOffset">The batch's base offset, less the segment's.</param>
/// <param name="Position">The batch's first byte in the file.</param>
/// <param name="MaxTimestamp">The segment's latest timestamp before the next entry, in milliseconds since 1970.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IndexEntry(int RelativeOffset, int Position, long MaxTimestamp);

/// <summary>
/// A segment's sparse index by offset and by time. While the segment grows it is in memory; once sealed it is a file,
/// searched where it lies, so that a log of any size costs no memory. Its last bytes repeat the log file's length and have a
/// checksum: an index that does not fit its log, or is not as it was written, is rebuilt.
/// </summary>
internal sealed class SparseIndex(Disk disk, string path) : IDisposable
{
    /// <summary>Bytes of log between two entries.</summary>
    public const int Interval = 16 * 1024;

    private const int EntrySize = 16;
    private const int FooterSize = 32;
    private const int ChecksumAt = 24;
    private List<IndexEntry>? _entries = [];
    private SafeFileHandle? _file;
    private int _count;
    private long _nextPosition;

    /// <summary>Whether the index is in its file, and fixed.</summary>
    public bool Sealed => _entries is null;

    public int Count => _entries?.Count ?? _count;

    /// <summary>Notes a batch just appended; where what precedes it is damaged, so that a search for it begins behind that.</summary>
    public void Append(int relativeOffset, long position, long maxTimestamp, bool behindDamage = false)
    {
        if (position >= _nextPosition || behindDamage)
        {
            _entries!.Add(new(relativeOffset, (int)position, maxTimestamp));
            _nextPosition = position + Interval;
        }
        else if (_entries![^1].MaxTimestamp < maxTimestamp)
        {
            _entries[^1] = _entries[^1] with { MaxTimestamp = maxTimestamp };
        }
    }

    /// <summary>The last entry; the log's beginning when there is none.</summary>
    public IndexEntry Last => Count == 0 ? default : Entry(Count - 1);

    /// <summary>The entry to search from for a record by its offset; the log's beginning when there is none before it.</summary>
    public IndexEntry Before(long relativeOffset)
    {
        var after = First(entry => entry.RelativeOffset > relativeOffset);
        return after == 0 ? default : Entry(after - 1);
    }

    /// <summary>The first entry behind a position; null when there is none.</summary>
    public IndexEntry? After(long position)
    {
        var after = First(entry => entry.Position > position);
        return after == Count ? null : Entry(after);
    }

    /// <summary>The position to search from for the first batch of which something holds that holds for all later ones too.</summary>
    public long PositionBefore(Func<IndexEntry, bool> holds)
    {
        var after = First(holds);
        return after == 0 ? 0 : Entry(after - 1).Position;
    }

    /// <summary>The entry to search from for the first record at or after a time; null when there is none.</summary>
    public IndexEntry? OfTime(long timestamp)
    {
        var found = First(entry => entry.MaxTimestamp >= timestamp);
        return found == Count ? null : Entry(found);
    }

    /// <summary>Moves the index to its file, durably; the footer is written last, so that a footer vouches for all before it.</summary>
    public void Seal(long logLength, long nextOffset, long maxTimestamp)
    {
        var entries = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_entries));
        var count = _entries!.Count;
        Span<byte> footer = stackalloc byte[FooterSize];
        footer.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(footer, logLength);
        BinaryPrimitives.WriteInt64LittleEndian(footer[8..], nextOffset);
        BinaryPrimitives.WriteInt64LittleEndian(footer[16..], maxTimestamp);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[ChecksumAt..], Checksum(entries, footer));
        var file = disk.Open(path, FileMode.Create);
        try
        {
            disk.Write(file, entries, 0);
            disk.Flush(file);
            disk.Write(file, footer, (long)count * EntrySize);
            disk.Flush(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        (_file, _count, _entries) = (file, count, null);
    }

    /// <summary>Opens a sealed index; false when it is missing, damaged, or does not belong to a log file of this length.</summary>
    public bool TryOpen(long logLength, out long nextOffset, out long maxTimestamp)
    {
        (nextOffset, maxTimestamp) = (0, 0);
        if (!File.Exists(path))
            return false;
        var file = disk.Open(path, FileMode.Open);
        var length = RandomAccess.GetLength(file);
        var content = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, Array.MaxLength));
        var whole = length is >= FooterSize and <= int.MaxValue && length % EntrySize == 0 && TryRead(file, content.AsSpan(0, (int)length));
        if (whole)
        {
            var entries = content.AsSpan(0, (int)length - FooterSize);
            var footer = content.AsSpan((int)length - FooterSize, FooterSize);
            nextOffset = BinaryPrimitives.ReadInt64LittleEndian(footer[8..]);
            maxTimestamp = BinaryPrimitives.ReadInt64LittleEndian(footer[16..]);
            whole = BinaryPrimitives.ReadInt64LittleEndian(footer) == logLength
                && BinaryPrimitives.ReadUInt64LittleEndian(footer[ChecksumAt..]) == Checksum(entries, footer);
            if (whole)
                (_file, _count, _entries) = (file, entries.Length / EntrySize, null);
        }
        ArrayPool<byte>.Shared.Return(content);
        if (!whole)
            file.Dispose();
        return whole;
    }

    /// <summary>Takes a sealed index back into memory, for a segment that is to grow again. Its file stays for a next start, should this one fail.</summary>
    public void Reopen()
    {
        if (!Sealed)
            return;
        var entries = new IndexEntry[_count];
        disk.Read(_file!, MemoryMarshal.AsBytes(entries.AsSpan()), 0);
        _entries = [.. entries];
        _nextPosition = _count == 0 ? 0 : entries[^1].Position + Interval;
        Dispose();
        _file = null;
    }

    public void Delete()
    {
        Dispose();
        disk.Delete(path);
    }

    public void Dispose() => _file?.Dispose();

    private bool TryRead(SafeFileHandle file, Span<byte> content)
    {
        try
        {
            return disk.Read(file, content, 0) == content.Length;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The first entry for which something holds that holds for all later ones too.</summary>
    private int First(Func<IndexEntry, bool> holds)
    {
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (holds(Entry(middle)))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    /// <summary>Of both, the footer up to the checksum itself.</summary>
    private static uint Checksum(ReadOnlySpan<byte> entries, ReadOnlySpan<byte> footer) => RecordBatch.Crc32C(entries) ^ RecordBatch.Crc32C(footer[..ChecksumAt]);

    private IndexEntry Entry(int index)
    {
        if (_entries is { } entries)
            return entries[index];
        Span<IndexEntry> entry = stackalloc IndexEntry[1];
        disk.Read(_file!, MemoryMarshal.AsBytes(entry), (long)index * EntrySize);
        return entry[0];
    }
}
