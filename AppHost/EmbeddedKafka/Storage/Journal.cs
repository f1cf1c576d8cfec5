using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>
/// An append-only file of frames (length, CRC-32C, payload) that holds everything a broker knows besides records. Replayed
/// at start; what is torn at its end is cut off, and damage elsewhere refused. When it has outgrown what it says, the owner writes it anew.
/// Not thread-safe: its owner changes its state and appends the change under one lock, so that the order is one.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int FrameHeader = 8;
    private const int MaxFrame = 64 * 1024 * 1024;
    private readonly Disk _disk;
    private readonly string _path;
    private readonly ResponseWriter _frame = new();
    private SafeFileHandle _file;
    private long _length;
    private long _rewriteAt;
    private bool _dirty;

    /// <summary>Opens the journal in a directory and shows every frame in it.</summary>
    /// <exception cref="InvalidDataException">It is damaged elsewhere than at a torn end.</exception>
    public Journal(Disk disk, string directory, Action<RequestReader> replay)
    {
        _disk = disk;
        _path = Path.Combine(directory, "journal");
        var content = File.Exists(_path) ? File.ReadAllBytes(_path) : [];
        var reader = new RequestReader();
        long snapshot = 0;
        while (IsFrame(content.AsSpan((int)_length)))
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(content.AsSpan((int)_length));
            reader.Reset(content, (int)_length + FrameHeader, size);
            if (content[_length + FrameHeader] == (byte)JournalEntry.Snapshot)
                snapshot = BinaryPrimitives.ReadInt64BigEndian(content.AsSpan((int)_length + FrameHeader + 1));
            else
                replay(reader);
            _length += FrameHeader + size;
        }
        if (_length < content.Length && (_length < snapshot || Damage.IsInTheMiddle(content.AsSpan((int)_length), IsFrame)))
            throw Damage.In(_path, _length);
        _file = disk.Open(_path, FileMode.OpenOrCreate);
        if (_length < content.Length)
            disk.SetLength(_file, _length);
        ScheduleRewrite();
    }

    /// <summary>Whether the journal has outgrown what it says, and <see cref="Rewrite"/> is due.</summary>
    public bool Outgrown => _length > _rewriteAt;

    /// <summary>Appends one change.</summary>
    /// <exception cref="IOException">The disk is full or failed; the journal is as it was.</exception>
    public void Append(Action<ResponseWriter> write, bool flush)
    {
        Frame(write);
        try
        {
            _disk.Write(_file, _frame.Written.Span, _length);
            if (flush)
                _disk.Flush(_file);
        }
        catch
        {
            _disk.TryCut(_file, _length);
            throw;
        }
        _length += _frame.Length;
        _dirty |= !flush;
    }

    /// <summary>Writes the whole state to a new file, which then takes the old one's place.</summary>
    /// <exception cref="IOException">The disk is full or failed; the old journal stays.</exception>
    public void Rewrite(IEnumerable<Action<ResponseWriter>> state)
    {
        var path = _path + ".new";
        var file = _disk.Open(path, FileMode.Create);
        try
        {
            var length = WriteSnapshot(file, state);
            _disk.Flush(file);
            _disk.Replace(path, _path);
            _file.Dispose();
            (_file, _length, _dirty) = (file, length, false);
            ScheduleRewrite();
        }
        catch
        {
            file.Dispose();
            _rewriteAt = _length * 2; // not again with every change
            throw;
        }
    }

    /// <summary>The file, when it holds what was not forced to the disk yet; that is then up to the caller, who need not hold the lock, and tells when it failed.</summary>
    public SafeFileHandle? TakeUnflushed()
    {
        if (!_dirty)
            return null;
        _dirty = false;
        return _file;
    }

    /// <summary>Takes back that everything is on the disk.</summary>
    public void FlushFailed() => _dirty = true;

    public void Dispose()
    {
        _file.Dispose();
        _frame.Dispose();
    }

    private static bool IsFrame(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= FrameHeader)
            return false;
        var size = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return size is > 0 and <= MaxFrame && size <= bytes.Length - FrameHeader
            && RecordBatch.Crc32C(bytes.Slice(FrameHeader, size)) == BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
    }

    private long WriteSnapshot(SafeFileHandle file, IEnumerable<Action<ResponseWriter>> state)
    {
        long length = FrameHeader + 1 + sizeof(long);
        foreach (var write in state)
        {
            Frame(write);
            _disk.Write(file, _frame.Written.Span, length);
            length += _frame.Length;
        }
        Frame(w =>
        {
            w.Int8((sbyte)JournalEntry.Snapshot);
            w.Int64(length);
        });
        _disk.Write(file, _frame.Written.Span, 0);
        return length;
    }

    private void ScheduleRewrite() => _rewriteAt = Math.Max(4 * 1024 * 1024, _length * 4);

    private void Frame(Action<ResponseWriter> write)
    {
        _frame.Clear();
        _frame.Int64(0);
        write(_frame);
        _frame.Patch(0, _frame.Length - FrameHeader);
        _frame.Patch(4, (int)RecordBatch.Crc32C(_frame.Written.Span[FrameHeader..]));
    }
}
