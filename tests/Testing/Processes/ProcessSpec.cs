namespace Shop.Testing.Processes;

/// <summary>A program to run as a child process.</summary>
/// <param name="FileName">The program, a path or a name to be found on PATH.</param>
/// <param name="Arguments">Its arguments, each passed as it is.</param>
public sealed record ProcessSpec(string FileName, params string[] Arguments)
{
    /// <summary>Environment variables set on top of the runner's own; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The directory the program starts in; null for the runner's own.</summary>
    public string? WorkingDirectory { get; init; }
}
