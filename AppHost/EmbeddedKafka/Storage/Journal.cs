using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>
/// An append-only file of frames (length, CRC-32C, payload) that holds everything a broker knows besides records. Replayed
/// at start; what is torn at its end is cut off. When it has outgrown what it says, the owner writes it anew.
/// Not thread-safe: its owner changes its state and appends the change under one lock, so that the order is one.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int FrameHeader = 8;
    private const int MaxFrame = 64 * 1024 * 1024;
    private readonly string _path;
    private readonly ResponseWriter _frame = new();
    private SafeFileHandle _file;
    private long _length;
    private long _rewriteAt;
    private bool _dirty;

    /// <summary>Opens the journal in a directory and shows every frame in it.</summary>
    public Journal(string directory, Action<RequestReader> replay)
    {
        _path = Path.Combine(directory, "journal");
        _file = Open(_path, FileMode.OpenOrCreate);
        var content = File.ReadAllBytes(_path);
        var reader = new RequestReader();
        while (content.Length - _length >= FrameHeader)
        {
            var frame = content.AsSpan((int)_length);
            var size = BinaryPrimitives.ReadInt32BigEndian(frame);
            if (size is <= 0 or > MaxFrame || size > frame.Length - FrameHeader
                || RecordBatch.Crc32C(frame.Slice(FrameHeader, size)) != BinaryPrimitives.ReadUInt32BigEndian(frame[4..]))
                break;
            reader.Reset(content, (int)_length + FrameHeader, size);
            replay(reader);
            _length += FrameHeader + size;
        }
        if (_length < content.Length)
            RandomAccess.SetLength(_file, _length);
        ScheduleRewrite();
    }

    /// <summary>Whether the journal has outgrown what it says, and <see cref="Rewrite"/> is due.</summary>
    public bool Outgrown => _length > _rewriteAt;

    /// <summary>Appends one change.</summary>
    /// <exception cref="IOException">The disk is full or failed; the journal is as it was.</exception>
    public void Append(Action<ResponseWriter> write, bool flush)
    {
        Frame(write);
        RandomAccess.Write(_file, _frame.Written.Span, _length);
        _length += _frame.Length;
        _dirty = true;
        if (flush)
            RandomAccess.FlushToDisk(_file);
    }

    /// <summary>Writes the whole state to a new file, which then takes the old one's place.</summary>
    /// <exception cref="IOException">The disk is full or failed; the old journal stays.</exception>
    public void Rewrite(IEnumerable<Action<ResponseWriter>> state)
    {
        var path = _path + ".new";
        var file = Open(path, FileMode.Create);
        long length = 0;
        foreach (var write in state)
        {
            Frame(write);
            RandomAccess.Write(file, _frame.Written.Span, length);
            length += _frame.Length;
        }
        RandomAccess.FlushToDisk(file);
        File.Move(path, _path, overwrite: true);
        _file.Dispose();
        (_file, _length) = (file, length);
        ScheduleRewrite();
    }

    /// <summary>The file, when it holds what was not forced to the disk yet; that is then up to the caller, who need not hold the lock.</summary>
    public SafeFileHandle? TakeUnflushed()
    {
        if (!_dirty)
            return null;
        _dirty = false;
        return _file;
    }

    public void Dispose()
    {
        _file.Dispose();
        _frame.Dispose();
    }

    private static SafeFileHandle Open(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

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
