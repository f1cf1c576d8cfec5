using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker.Tests;

/// <summary>A disk that has lost some bytes of a file: whoever reads them gets an error.</summary>
internal sealed class UnreadableDisk : Disk
{
    private readonly ConcurrentDictionary<SafeFileHandle, string> _paths = [];

    /// <summary>The file, and its bytes that are lost; null while the disk is well.</summary>
    public (string Path, long From, long To)? Lost { get; set; }

    public override SafeFileHandle Open(string path, FileMode mode)
    {
        var file = base.Open(path, mode);
        _paths[file] = path;
        return file;
    }

    public override int Read(SafeFileHandle file, Span<byte> bytes, long position) =>
        Lost is var (path, from, to) && _paths[file] == path && position < to && position + bytes.Length > from
            ? throw new IOException("The disk fails, as the test wants it.") : base.Read(file, bytes, position);
}
