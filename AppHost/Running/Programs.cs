using System.Diagnostics;

namespace Shop.AppHost.Running;

/// <summary>Finds installed programs, and runs those that come to an end by themselves.</summary>
internal static class Programs
{
    /// <summary>The directories in which programs are looked for, the environment variable PATH's.</summary>
    public static string[] Directories => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The program's path, or null when no directory of PATH has it.</summary>
    public static string? Find(string name) => Directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="failure">What could not be done when it fails.</param>
    /// <param name="cancellationToken">Kills it, and what it started.</param>
    /// <exception cref="InvalidOperationException">It ended with another code than 0; the message is <paramref name="failure"/> and its output.</exception>
    public static async Task RunAsync(string program, string[] arguments, string failure, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0) throw new InvalidOperationException($"{failure}:\n{await output}{errors}");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
