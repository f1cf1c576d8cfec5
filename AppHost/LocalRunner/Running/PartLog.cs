namespace Shop.LocalRunner.Running;

/// <summary>A part's log file; beyond 10 MB it starts anew and the full one is kept as <c>NAME.log.1</c>.</summary>
internal sealed class PartLog : IDisposable
{
    private const long MaximumBytes = 10_000_000;
    private readonly string _file;
    private readonly Lock _lock = new();
    private StreamWriter? _writer;

    public PartLog(string directory, string title)
    {
        Directory.CreateDirectory(directory);
        _file = Path.Combine(directory, $"{title}.log");
        _writer = Open();
    }

    /// <summary>Appends a line.</summary>
    public void Write(string line)
    {
        lock (_lock)
        {
            if (_writer is null) return; // a last line after the shop was stopped
            _writer.WriteLine(line);
            if (_writer.BaseStream.Position < MaximumBytes) return;
            _writer.Dispose();
            File.Move(_file, _file + ".1", overwrite: true);
            _writer = Open();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _writer?.Dispose();
            _writer = null;
        }
    }

    private StreamWriter Open() => new(new FileStream(_file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
}
