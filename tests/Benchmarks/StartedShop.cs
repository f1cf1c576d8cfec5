using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Shop.AppHost.Running;
using Shop.Testing;

namespace Shop.Benchmarks;

/// <summary>A shop with a data directory and a port of its own.</summary>
/// <param name="settings">Environment variables of the shop, beside those two.</param>
internal sealed class StartedShop(Dictionary<string, string> settings)
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"shop-bench-{Guid.CreateVersion7():N}");

    /// <summary>The gateway's.</summary>
    public int Port { get; } = Ports.Free();

    /// <summary>Runs <c>./shop</c> for this shop.</summary>
    /// <returns>What it said.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public Task<string> RunAsync(string command, CancellationToken cancellationToken) => RunAsync([command], cancellationToken);

    /// <inheritdoc cref="RunAsync(string, CancellationToken)"/>
    public Task<string> RunAsync(string command, string option, CancellationToken cancellationToken) => RunAsync([command, option], cancellationToken);

    /// <summary>The first instance of a part, as <c>./shop status</c> knows it.</summary>
    public async Task<(int Process, Uri Address)> PartAsync(string name, CancellationToken cancellationToken)
    {
        using var status = JsonDocument.Parse(await RunAsync("status", "--json", cancellationToken));
        var part = status.RootElement.GetProperty("parts").EnumerateArray().First(part => part.GetProperty("name").GetString() == name);
        return (part.GetProperty("pid").GetInt32(), new(part.GetProperty("url").GetString()!));
    }

    private async Task<string> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "shop"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        start.Environment["SHOP_DATA"] = _data;
        start.Environment["SHOP_PORT"] = Port.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"./shop {arguments[0]} exited with {process.ExitCode}:\n{output}{await errors}");
    }

    /// <summary>The proportional set size (PSS) of all its processes, Aspire's own and PostgreSQL's among them: a page that several share counts once in all.</summary>
    public double ProportionalMebibytes() =>
        Directory.EnumerateDirectories("/proc").Where(process => int.TryParse(Path.GetFileName(process), out _) && IsPart(process)).Sum(ProportionalMebibytes);

    /// <summary>The same of one process.</summary>
    public static double ProportionalMebibytes(int process) => ProportionalMebibytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}"));

    private static double ProportionalMebibytes(string process) =>
        Read($"{process}/smaps_rollup").Split('\n').Where(line => line.StartsWith("Pss:", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)) / 1024.0;

    // PostgreSQL's processes write their title over their environment; they are in their data directory
    private bool IsPart(string process) =>
        Read($"{process}/environ").Split('\0').Contains($"SHOP_DATA={_data}")
        || Read(() => new DirectoryInfo($"{process}/cwd").LinkTarget).StartsWith(_data + "/", StringComparison.Ordinal);

    private static string Read(string file) => Read(() => File.ReadAllText(file));

    private static string Read(Func<string?> read)
    {
        try
        {
            return read() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended since, or is somebody else's
        }
    }
}
