namespace Shop.AppHost.Running;

/// <summary>Finds installed programs.</summary>
internal static class Programs
{
    /// <summary>The program's path, or null when no directory of PATH has it.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
}
