using System.Diagnostics;
using System.Runtime.CompilerServices;
using Shop.LocalRunner.Processes;
using Shop.LocalRunner.Running;

namespace Shop.LocalRunner.Tests;

public sealed class KilledRunnerTests : IDisposable
{
    private const string RunnerVariable = "SHOP_TEST_RUNNER_DIRECTORY";
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Nothing_survives_a_killed_runner_even_what_does_not_want_to_stop()
    {
        using var runner = await StartRunnerAsync();
        Assert.True(Leftovers.Of(_directory.Path).Count >= 3, "a part, its child, and one that ignores SIGTERM");

        Signals.Send(runner.Id, Signals.Kill);

        await Wait.UntilAsync(() => Leftovers.Of(_directory.Path).Count == 0, "everything is gone");
    }

    [Fact]
    public async Task A_new_runner_on_the_same_data_finds_nothing_in_its_way()
    {
        using var runner = await StartRunnerAsync();
        var before = Leftovers.Of(_directory.Path);
        Signals.Send(runner.Id, Signals.Kill);
        File.Delete(_directory.File("READY-part"));

        await using var shop = new RunningShop(_directory.Path, new(), RunningShop.Script(_directory.Path, "part", "touch READY-part; exec sleep 100"));
        await shop.IsUpAsync();

        Assert.Empty(Leftovers.Of(_directory.Path).Intersect(before));
        // what the part is ready by is the work of a process of its own, which may still be ending
        await Wait.UntilAsync(() => Leftovers.Of(_directory.Path).SequenceEqual([shop.Part("part").GetProperty("pid").GetInt32()]), "the new part is all there is");
        Assert.Equal(0, shop.Part("part").GetProperty("restarts").GetInt32());
    }

    [Fact]
    public async Task A_killed_guard_is_replaced()
    {
        var guard = ProcessGuard.Start(_directory.Path);
        await using var child = ChildProcess.Start(new("/bin/sleep", "100"), _directory.Path, _ => { });
        var killed = guard.ProcessId;
        Signals.Send(killed, Signals.Kill);
        await Wait.UntilAsync(() => guard.ProcessId != killed, "there is a new guard");

        await guard.DisposeAsync();

        await Wait.UntilAsync(() => child.Exited.IsCompleted, "the child is stopped");
    }

    private async Task<Process> StartRunnerAsync()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(KilledRunnerTests).Assembly.Location]) { RedirectStandardOutput = true };
        start.Environment[RunnerVariable] = _directory.Path;
        var runner = Process.Start(start)!;
        await Wait.UntilAsync(() => File.Exists(_directory.File("READY-stubborn")) && File.Exists(_directory.File("READY-part")), "the runner's parts are ready");
        return runner;
    }

    /// <summary>Makes the test program a runner, to be killed, when it is started with <see cref="RunnerVariable"/>.</summary>
    [ModuleInitializer]
    internal static void BecomeRunner()
    {
        if (Environment.GetEnvironmentVariable(RunnerVariable) is not { } directory) return;
        Environment.SetEnvironmentVariable(RunnerVariable, null);
        var plan = new RunPlan("", [
            RunningShop.Script(directory, "part", "sleep 100 & touch READY-part; wait"),
            RunningShop.Script(directory, "stubborn", "trap '' TERM; touch READY-stubborn; while :; do sleep 1; done"),
        ], []);
        Environment.Exit(LocalRun.RunAsync(directory, () => plan, new Patience(), TextWriter.Null, CancellationToken.None).GetAwaiter().GetResult());
    }
}
