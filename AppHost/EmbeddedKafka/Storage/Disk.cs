using Microsoft.Win32.SafeHandles;

namespace Shop.KafkaBroker;

/// <summary>Every call that changes what is in a file, or reads a log, in one place, so that tests can let each of them fail.</summary>
internal class Disk
{
    public virtual SafeFileHandle Open(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position) => RandomAccess.Write(file, bytes, position);

    /// <summary>Reads some bytes; none only at the file's end.</summary>
    public virtual int Read(SafeFileHandle file, Span<byte> bytes, long position) => RandomAccess.Read(file, bytes, position);

    /// <summary>Forces what was written to the disk.</summary>
    public virtual void Flush(SafeFileHandle file) => RandomAccess.FlushToDisk(file);

    public virtual void SetLength(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    /// <summary>Puts a file in the place of another.</summary>
    public virtual void Replace(string path, string replaced) => File.Move(path, replaced, overwrite: true);

    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Cuts off what a failed write left behind a file's end. Where even that fails, the next write covers it, and recovery cuts it.</summary>
    public void TryCut(SafeFileHandle file, long length)
    {
        try
        {
            SetLength(file, length);
        }
        catch (IOException)
        {
            // as said
        }
    }
}
