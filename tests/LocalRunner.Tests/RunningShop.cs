using System.Text.Json;
using Shop.LocalRunner.Processes;
using Shop.LocalRunner.Running;

namespace Shop.LocalRunner.Tests;

/// <summary>A run of parts that are small shell scripts, in the test's own process.</summary>
internal sealed class RunningShop : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly StringWriter _output = new();

    public RunningShop(string directory, Patience patience, params Part[] parts)
    {
        StateFile = Path.Combine(directory, "state.json");
        Ended = LocalRun.RunAsync(directory, () => new RunPlan("http://localhost:1", parts, []), patience, TextWriter.Synchronized(_output), _stop.Token);
    }

    public string StateFile { get; }

    /// <summary>The exit code.</summary>
    public Task<int> Ended { get; }

    public string Output => _output.ToString();

    /// <summary>A part that runs a shell script in the directory and is ready when the file READY-name is there.</summary>
    public static Part Script(string directory, string name, string script, params string[] waitsFor) => new(name, 1, $"http://127.0.0.1/{name}")
    {
        Title = name,
        WaitsFor = waitsFor,
        Command = _ => Task.FromResult(new ProcessSpec("/bin/sh", "-c", script) { WorkingDirectory = directory }),
        Probe = _ => Task.FromResult(File.Exists(Path.Combine(directory, $"READY-{name}"))),
    };

    public Task IsUpAsync() => Wait.UntilAsync(() => Output.Contains("The shop takes orders", StringComparison.Ordinal) || Ended.IsCompleted, "the shop is up");

    public JsonElement Part(string name) => JsonDocument.Parse(File.ReadAllText(StateFile)).RootElement.GetProperty("parts")
        .EnumerateArray().Single(part => part.GetProperty("name").GetString() == name);

    /// <summary>Waits until the part is healthy in another process than the one given.</summary>
    public async Task<int> HealthyAgainAsync(string name, int formerProcess)
    {
        await Wait.UntilAsync(() => Part(name) is var part && part.GetProperty("state").GetString() == "healthy" && part.GetProperty("pid").GetInt32() != formerProcess, $"{name} is healthy again");
        return Part(name).GetProperty("pid").GetInt32();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended;
        _stop.Dispose();
    }
}
