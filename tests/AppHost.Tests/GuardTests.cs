using System.Diagnostics;
using Shop.AppHost.Running;
using Shop.Testing;

namespace Shop.AppHost.Tests;

/// <summary>That one AppHost has a data directory, and what becomes of processes that it leaves behind.</summary>
public sealed class GuardTests : IDisposable
{
    private const string Stubborn = "trap '' TERM; touch READY; while :; do sleep 1; done";
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shop-guarded-");

    public void Dispose()
    {
        foreach (var variable in (string[])[ProcessGuard.OwnerVariable, ProcessGuard.RunnerVariable]) Environment.SetEnvironmentVariable(variable, null);
        _data.Delete(recursive: true);
    }

    [Fact]
    public async Task What_ignores_SIGTERM_is_killed_in_the_end()
    {
        await using var guard = ProcessGuard.Start(_data.FullName);
        using var child = await StartChildAsync(Stubborn, ProcessGuard.Runner);

        await guard.DisposeAsync();

        Assert.True(child.HasExited);
    }

    [Fact]
    public async Task A_killed_guard_is_replaced()
    {
        await using var guard = ProcessGuard.Start(_data.FullName);
        using var child = await StartChildAsync("touch READY; exec sleep 1000", ProcessGuard.Runner);
        var killed = guard.ProcessId;
        using (var process = Process.GetProcessById(killed)) process.Kill();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(guard.ProcessId != killed));
        Assert.False(child.HasExited);

        await guard.DisposeAsync();

        Assert.True(child.HasExited);
    }

    /// <summary>As <c>aspire run</c> stops an AppHost.</summary>
    [Fact]
    public async Task Who_kills_the_AppHost_with_its_process_tree_leaves_the_guard()
    {
        var script = Path.Combine(AppContext.BaseDirectory, "stop-leftovers.sh");
        // the runner is a shell that holds the guard's standard input by a pipe; what it says is the guard's id
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec sleep 1000 | /bin/sh '{script}' '{_data.FullName}' '' another"]) { RedirectStandardOutput = true };
        using var runner = Process.Start(start)!;
        Assert.True(int.TryParse(await runner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), out var guard));
        using var child = await StartChildAsync("touch READY; exec sleep 1000", "another");
        Assert.False(child.HasExited);

        runner.Kill(entireProcessTree: true);

        await child.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.DefaultDeadline);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!Directory.Exists($"/proc/{guard}")));
    }

    [Fact]
    public async Task What_a_killed_AppHost_has_left_is_stopped_before_the_next_one_starts()
    {
        using var child = await StartChildAsync(Stubborn, "an earlier one");

        await using var guard = await ShopGuard.TakeAsync(_data.FullName);

        Assert.NotNull(guard);
        Assert.True(child.HasExited);
    }

    [Fact]
    public async Task A_second_AppHost_on_the_same_data_leaves_the_first_alone()
    {
        await using var first = await ShopGuard.TakeAsync(_data.FullName);
        using var child = await StartChildAsync("touch READY; exec sleep 1000", ProcessGuard.Runner);

        Assert.Null(await ShopGuard.TakeAsync(_data.FullName));

        Assert.False(child.HasExited);
        await first!.DisposeAsync();
        Assert.True(child.HasExited);
    }

    [Fact]
    public async Task A_port_that_another_program_has_is_named()
    {
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        other.Start();
        var port = ((System.Net.IPEndPoint)other.LocalEndpoint).Port;
        var start = new ProcessStartInfo("dotnet", [typeof(ShopGuard).Assembly.Location, $"--SHOP_PORT={port}", $"--SHOP_DATA={_data.FullName}"]) { RedirectStandardOutput = true };
        using var appHost = Process.Start(start)!;

        var output = await appHost.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await appHost.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, $"The shop did not start: port {port} is in use by another program; SHOP_PORT chooses another.\n"), (appHost.ExitCode, output));
    }

    /// <summary>A process of the data directory's owner that runs, and has made the file READY.</summary>
    private async Task<Process> StartChildAsync(string script, string runner)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = _data.FullName };
        start.Environment[ProcessGuard.OwnerVariable] = _data.FullName;
        start.Environment[ProcessGuard.RunnerVariable] = runner;
        var child = Process.Start(start)!;
        await Eventually.BecomesTrueAsync(() => Task.FromResult(File.Exists(Path.Combine(_data.FullName, "READY"))));
        return child;
    }
}
