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
        Assert.Equal("payments", failed.Name);
        Assert.Contains(failed.Log.LastLines, line => line.EndsWith("the reason", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_part_that_does_not_become_healthy_in_time_is_named_and_not_the_one_that_needs_it()
    {
        await using var app = Build(new Patience { StartDeadline = TimeSpan.FromSeconds(1) }, ("activity", "rm -f READY-activity; exec sleep 1000"), ("gateway", "rm -f READY-gateway; exec sleep 1000"));
        var report = app.Services.GetRequiredService<ShopReport>();

        await app.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, report.ExitCode);
        Assert.Equal("activity", Assert.Single(report.Parts, part => part.State == PartState.Failed).Name);
    }

    [Fact]
    public async Task Neither_a_log_nor_a_state_file_that_cannot_be_written_ends_anything()
    {
        foreach (var name in (string[])["state.json.new", "logs/orders.log"]) Directory.CreateDirectory(Path.Combine(_data.FullName, name));
        await using var app = Build(new Patience(), ("orders", "echo hello; exec sleep 1000"));

        await app.StartAsync(TestContext.Current.CancellationToken);

        var report = app.Services.GetRequiredService<ShopReport>();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts is [{ State: PartState.Healthy }]));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(report.Parts[0].Log.LastLines.Any(line => line.EndsWith("hello", StringComparison.Ordinal))));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Parts that run a script in the data directory, each but the first with a reference to it; one is healthy unless its script is seen to remove READY-name.</summary>
    private DistributedApplication Build(Patience patience, params (string Name, string Script)[] parts)
    {
        Directory.CreateDirectory(Path.Combine(_data.FullName, "logs"));
        var shop = ShopSettings.Read([$"--SHOP_DATA={_data.FullName}", "--SHOP_DASHBOARD=off", "--SHOP_DETACHED=1"], _data.FullName);
        var builder = ShopDefaults.CreateBuilder(shop, []);
        builder.Services.AddSingleton(patience);
        IResourceBuilder<IResource>? first = null;
        foreach (var (name, script) in parts)
        {
            var unready = script.Contains($"READY-{name}", StringComparison.Ordinal);
            var part = builder.AddExecutable(name, "/bin/sh", _data.FullName, "-c", script).IsSupervised((_, _) => Task.FromResult(!unready));
            if (first is not null) part.WithReferenceRelationship(first);
            first ??= part;
        }

        return builder.Build();
    }
}
