using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker.Tests;

/// <summary>A disk on which one call fails, or every call from one on; a failed write has written a part.</summary>
internal sealed class FaultyDisk : Disk
{
    private int _calls;

    /// <summary>The number of the call that fails; 0 for none.</summary>
    public int FailingCall { get; set; }

    /// <summary>Whether all later ones fail too, as on a full disk; nothing that only makes room fails then.</summary>
    public bool StaysFull { get; set; }

    public int Calls => _calls;

    public override SafeFileHandle Open(string path, FileMode mode)
    {
        if (mode != FileMode.Open)
            Count("open", path);
        return base.Open(path, mode);
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
    {
        try
        {
            Count("write", "");
        }
        catch (IOException)
        {
            base.Write(file, bytes[..(bytes.Length / 2)], position);
            throw;
        }
        base.Write(file, bytes, position);
    }

    public override void Flush(SafeFileHandle file) => Count("fsync", "");

    public override void SetLength(SafeFileHandle file, long length)
    {
        if (!StaysFull)
            Count("truncate", "");
        base.SetLength(file, length);
    }

    public override void Replace(string path, string replaced)
    {
        Count("rename", replaced);
        base.Replace(path, replaced);
    }

    public override void Delete(string path)
    {
        if (!StaysFull)
            Count("delete", path);
        base.Delete(path);
    }

    private void Count(string what, string path)
    {
        var call = Interlocked.Increment(ref _calls);
        if (FailingCall > 0 && (call == FailingCall || (StaysFull && call > FailingCall)))
            throw new IOException($"{what} {path} fails, as the test wants it");
    }
}
