namespace Shop.Testing.Processes;

/// <summary>The last lines a process wrote, to be shown when it fails. Safe for use by several threads.</summary>
/// <param name="capacity">How many lines are kept.</param>
public sealed class LogTail(int capacity)
{
    private readonly Queue<string> _lines = new();

    /// <summary>Adds a line and forgets the oldest beyond the capacity.</summary>
    public void Add(string line)
    {
        lock (_lines)
        {
            if (_lines.Count == capacity) _lines.Dequeue();
            _lines.Enqueue(line);
        }
    }

    /// <summary>The lines, oldest first.</summary>
    public string[] Lines()
    {
        lock (_lines) return [.. _lines];
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Lines());
}
