using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Shop.AppHost.Running;
using Shop.Testing;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Shop.AppHost.Tests;

/// <summary>What the supervisor does with parts that are small shell scripts, run by Aspire's orchestrator.</summary>
public sealed class SupervisionTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shop-supervised-");

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public async Task A_killed_part_is_started_again_and_one_that_a_person_stops_stays_stopped()
    {
        await using var app = Build(new Patience(), ("orders", "exec sleep 1000"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }]));
        var part = report.Parts[0];

        for (var kill = 1; kill <= 2; kill++)
        {
            using var process = Process.GetProcessById(part.Pid!.Value);
            process.Kill();
            await Eventually.BecomesTrueAsync(() => Task.FromResult(part is { State: PartState.Healthy } && part.Restarts == kill));
        }

        var commands = app.Services.GetRequiredService<ResourceCommandService>();
        Assert.True((await commands.ExecuteCommandAsync(part.Id, KnownResourceCommands.StopCommand, TestContext.Current.CancellationToken)).Success);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(part.State == PartState.Stopped));
        Assert.Null(part.Pid);
        Assert.True((await commands.ExecuteCommandAsync(part.Id, KnownResourceCommands.StartCommand, TestContext.Current.CancellationToken)).Success);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(part.State == PartState.Healthy));
        Assert.Equal(2, part.Restarts);

        var log = await File.ReadAllTextAsync(Path.Combine(_data.FullName, "logs", "orders.log"), TestContext.Current.CancellationToken);
        Assert.Contains("starting it again in 200 ms", log);
        Assert.Contains("starting it again in 400 ms", log);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_part_that_keeps_ending_is_named_with_its_last_lines_and_not_the_one_that_needs_it()
    {
        await using var app = Build(new Patience { FirstPause = TimeSpan.FromMilliseconds(10) }, ("payments", "rm -f READY-payments; echo the reason; exit 3"), ("gateway", "exec sleep 1000"));
        var report = app.Services.GetRequiredService<ShopReport>();

        await app.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, report.ExitCode);
        var failed = Assert.Single(report.Parts, part => part.State == PartState.Failed);
        Assert.Equal("payments", failed.Resource.Name);
        Assert.Contains(failed.LastLines, line => line.EndsWith("the reason", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_that_does_not_become_healthy_in_time_is_named_and_not_the_one_that_needs_it()
    {
        await using var app = Build(new Patience { StartDeadline = TimeSpan.FromSeconds(1) }, ("activity", "rm -f READY-activity; exec sleep 1000"), ("gateway", "rm -f READY-gateway; exec sleep 1000"));
        var report = app.Services.GetRequiredService<ShopReport>();

        await app.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, report.ExitCode);
        Assert.Equal("activity", Assert.Single(report.Parts, part => part.State == PartState.Failed).Resource.Name);
    }

    [Long]
    [Fact]
    public async Task A_part_that_had_to_wait_for_a_slow_one_has_its_own_time()
    {
        await using var app = Build(new Patience { StartDeadline = TimeSpan.FromSeconds(20) }, ("slow", "rm -f READY-slow; sleep 12; touch READY-slow; exec sleep 1000"), ("late", "rm -f READY-late; sleep 25; touch READY-late; exec sleep 1000"));
        var report = app.Services.GetRequiredService<ShopReport>();

        await app.StartAsync(TestContext.Current.CancellationToken);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.ExitCode != 0 || report.Parts is [{ State: PartState.Healthy }, { State: PartState.Healthy }]));
        Assert.Equal(0, report.ExitCode);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_pauses_begin_anew_after_the_part_was_healthy_for_a_while()
    {
        await using var app = Build(new Patience { HealthyAgainAfter = TimeSpan.Zero }, ("orders", "exec sleep 1000"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }]));

        for (var kill = 1; kill <= 2; kill++)
        {
            using var process = Process.GetProcessById(report.Parts[0].Pid!.Value);
            process.Kill();
            await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts[0] is { State: PartState.Healthy } part && part.Restarts == kill));
        }

        Assert.DoesNotContain("400 ms", await File.ReadAllTextAsync(Path.Combine(_data.FullName, "logs", "orders.log"), TestContext.Current.CancellationToken));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_a_failed_part()
    {
        await using var app = Build(new Patience { FirstPause = TimeSpan.FromMilliseconds(10) }, ("gateway", "/no/such/program"));
        var report = app.Services.GetRequiredService<ShopReport>();

        await app.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, PartState.Failed), (report.ExitCode, report.Parts.Single().State));
    }

    [Fact]
    public async Task A_part_starts_when_what_it_waits_for_is_healthy_and_stops_before_it()
    {
        const string stopped = "trap 'echo {0} >> stopped; exit 0' TERM; touch READY-{0}; sleep 1000 & wait";
        await using var app = Build(new Patience(), ("early", "sleep 1; " + string.Format(stopped, "early")), ("late, waiting", "test -e READY-early && touch in-order; " + string.Format(stopped, "late")));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }, { State: PartState.Healthy }]));
        Assert.True(File.Exists(Path.Combine(_data.FullName, "in-order")));

        await app.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["late", "early"], await File.ReadAllLinesAsync(Path.Combine(_data.FullName, "stopped"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_state_file_has_the_shape_of_the_status_command()
    {
        await using var app = Build(new Patience(), ("orders", "exec sleep 1000"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }]));

        await Eventually.BecomesAsync(
            $$"""{"url":"http://localhost:8080","apphost":{{Environment.ProcessId}},"dashboard":null,"parts":[{"name":"orders","instance":1,"pid":{{report.Parts[0].Pid}},"url":null,"state":"healthy","restarts":0}]}""" + "\n",
            () => File.ReadAllTextAsync(Path.Combine(_data.FullName, "state.json"), TestContext.Current.CancellationToken));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Neither_a_log_nor_a_state_file_that_cannot_be_written_ends_anything()
    {
        foreach (var name in (string[])["state.json.new", "logs/orders.log"]) Directory.CreateDirectory(Path.Combine(_data.FullName, name));
        await using var app = Build(new Patience(), ("orders", "echo hello; exec sleep 1000"));

        await app.StartAsync(TestContext.Current.CancellationToken);

        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }]));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts[0].LastLines.Any(line => line.EndsWith("hello", StringComparison.Ordinal))));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// Parts that run a script (or a program, by its path) in the data directory, each but the first with a reference to it, and <c>, waiting</c> for
    /// it where its name says so. One whose script names the file READY-name is healthy while that is there, any other at once.
    /// </summary>
    private DistributedApplication Build(Patience patience, params (string Name, string Script)[] parts)
    {
        Directory.CreateDirectory(Path.Combine(_data.FullName, "logs"));
        var shop = ShopSettings.Read([$"--SHOP_DATA={_data.FullName}", "--SHOP_PORT=8080", "--SHOP_DASHBOARD=off", "--SHOP_DETACHED=1"], _data.FullName);
        var builder = ShopDefaults.CreateBuilder(shop, []);
        builder.Services.AddSingleton(patience);
        IResourceBuilder<ExecutableResource>? first = null;
        foreach (var (title, script) in parts)
        {
            var name = title.Split(',')[0];
            var ready = script.Contains($"READY-{name}", StringComparison.Ordinal) ? Path.Combine(_data.FullName, $"READY-{name}") : _data.FullName;
            var part = script[0] == '/' ? builder.AddExecutable(name, script, _data.FullName) : builder.AddExecutable(name, "/bin/sh", _data.FullName, "-c", script);
            part.IsSupervised((_, _) => Task.FromResult(Path.Exists(ready)));
            if (first is not null) part.WithReferenceRelationship(first);
            if (title != name) part.WaitFor(first!);
            first ??= part;
        }

        return builder.Build();
    }
}
