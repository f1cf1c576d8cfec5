using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>
/// One file of a partition's log, named after the first offset it may hold, with its sparse index. Only the partition's
/// last segment grows. Bytes before <see cref="Length"/> never change, so they are read without a lock.
/// </summary>
internal sealed partial class Segment : IDisposable
{
    private const int NameLength = 20;
    private readonly Disk _disk;

    private Segment(Disk disk, string directory, long baseOffset)
    {
        _disk = disk;
        BaseOffset = baseOffset;
        NextOffset = baseOffset;
        LogPath = Path.Combine(directory, $"{baseOffset:D20}.log");
        Index = new(disk, Path.ChangeExtension(LogPath, ".index"));
        Log = disk.Open(LogPath, FileMode.OpenOrCreate);
    }

    public long BaseOffset { get; }

    /// <summary>The offset after the last record.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The bytes of whole batches; the file may have a torn batch behind them after a failed write.</summary>
    public long Length { get; private set; }

    /// <summary>The latest timestamp in milliseconds since 1970, or -1.</summary>
    public long MaxTimestamp { get; private set; } = -1;

    /// <summary>Whether anything was written since the last <see cref="Flush"/>.</summary>
    public bool Dirty { get; private set; }

    /// <summary>Whether something in it was found that is no batch.</summary>
    public bool IsDamaged { get; private set; }

    public string LogPath { get; }

    public SafeFileHandle Log { get; }

    public SparseIndex Index { get; }

    /// <summary>The offset in the name of a segment's file; null for a file that is none.</summary>
    public static long? OffsetIn(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        return name.Length == NameLength && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null;
    }

    public static Segment Create(Disk disk, string directory, long baseOffset) => new(disk, directory, baseOffset);

    /// <summary>Writes a batch, with its offset in place, behind the last one.</summary>
    /// <exception cref="IOException">The disk is full or failed. Nothing was appended.</exception>
    public void Append(ReadOnlySpan<byte> batch, bool flush = false)
    {
        try
        {
            _disk.Write(Log, batch, Length);
            if (flush)
                _disk.Flush(Log);
        }
        catch
        {
            _disk.TryCut(Log, Length);
            throw;
        }
        Appended(batch, Length);
        Dirty = !flush;
    }

    /// <summary>Forces what was written to the disk.</summary>
    public void Flush()
    {
        if (!Dirty)
            return;
        Dirty = false;
        try
        {
            _disk.Flush(Log);
        }
        catch
        {
            Dirty = true;
            throw;
        }
    }

    /// <summary>Flushes, and moves the index to its file.</summary>
    public void Seal()
    {
        Flush();
        Index.Seal(Length, NextOffset, MaxTimestamp);
    }

    public void Delete()
    {
        Dispose();
        Index.Delete();
        _disk.Delete(LogPath);
    }

    public void Dispose()
    {
        Index.Dispose();
        Log.Dispose();
    }

    private void Appended(ReadOnlySpan<byte> batch, long position, bool behindDamage = false)
    {
        MaxTimestamp = Math.Max(MaxTimestamp, RecordBatch.MaxTimestamp(batch));
        Index.Append((int)(RecordBatch.BaseOffset(batch) - BaseOffset), position, MaxTimestamp, behindDamage);
        Length = position + batch.Length;
        NextOffset = RecordBatch.LastOffset(batch) + 1;
    }
}
