namespace Shop.AppHost.Running;

/// <summary>
/// The log of an instance: its last lines, and a file, which beyond 10 MB starts anew; the full one is kept as <c>NAME.log.1</c>.
/// A file that cannot be written loses lines and ends nothing.
/// </summary>
/// <param name="file">The file.</param>
internal sealed class PartLog(string file) : IDisposable
{
    private const long MaximumBytes = 10_000_000;
    private const int LinesKept = 25;
    private readonly Queue<string> _last = new();
    private StreamWriter? _writer;

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> LastLines
    {
        get { lock (_last) return [.. _last]; }
    }

    /// <summary>Appends a line.</summary>
    public void Write(string line)
    {
        lock (_last)
        {
            if (_last.Count == LinesKept) _last.Dequeue();
            _last.Enqueue(line);
            try
            {
                _writer ??= new(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
                _writer.WriteLine(line);
                if (_writer.BaseStream.Position < MaximumBytes) return;
                Close();
                File.Move(file, file + ".1", overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Close(); // opened anew for the next line: there may be room again
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_last) Close();
    }

    private void Close()
    {
        try
        {
            _writer?.Dispose();
        }
        catch (IOException) { } // what was buffered does not fit either
        _writer = null;
    }
}
