using System.Text.Json;
using Shop.LocalRunner.Processes;
using Shop.LocalRunner.Running;

namespace Shop.LocalRunner.Tests;

public sealed class LocalRunTests : IDisposable
{
    private const string StayReady = "touch READY-{0}; exec sleep 100";
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_part_starts_when_what_it_waits_for_is_healthy_and_stops_before_it()
    {
        const string stopped = "trap 'echo {0} >> stopped; exit 0' TERM; touch READY-{0}; sleep 100 & wait";
        await using (var shop = new RunningShop(_directory.Path, new(),
            Script("late", "test -e READY-early && touch in-order; " + string.Format(stopped, "late"), "early"),
            Script("early", "sleep 0.3; " + string.Format(stopped, "early"))))
        {
            await shop.IsUpAsync();
            Assert.True(File.Exists(_directory.File("in-order")));
        }

        Assert.Equal(["late", "early"], await File.ReadAllLinesAsync(_directory.File("stopped"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(_directory.File("state.json")));
    }

    [Fact]
    public async Task A_killed_part_is_started_again_with_a_longer_pause_each_time()
    {
        await using var shop = new RunningShop(_directory.Path, new(), Script("orders", string.Format(StayReady, "orders")));
        await shop.IsUpAsync();
        var url = shop.Part("orders").GetProperty("url").GetString();
        var pid = shop.Part("orders").GetProperty("pid").GetInt32();

        for (var kill = 1; kill <= 3; kill++)
        {
            Assert.True(Signals.Send(pid, Signals.Kill));
            pid = await shop.HealthyAgainAsync("orders", pid);
            Assert.Equal(kill, shop.Part("orders").GetProperty("restarts").GetInt32());
        }

        Assert.Equal(url, shop.Part("orders").GetProperty("url").GetString());
        var pauses = (await File.ReadAllLinesAsync(_directory.File("logs/orders.log"), TestContext.Current.CancellationToken)).Where(line => line.Contains("again in", StringComparison.Ordinal));
        Assert.Equal(["orders ended with code 137; starting it again in 200 ms", "orders ended with code 137; starting it again in 400 ms", "orders ended with code 137; starting it again in 800 ms"], pauses);
    }

    [Fact]
    public async Task The_pauses_begin_anew_after_the_part_was_healthy_for_a_while()
    {
        await using var shop = new RunningShop(_directory.Path, new() { HealthyAgainAfter = TimeSpan.Zero }, Script("orders", string.Format(StayReady, "orders")));
        await shop.IsUpAsync();
        var pid = shop.Part("orders").GetProperty("pid").GetInt32();

        for (var kill = 1; kill <= 2; kill++)
        {
            Assert.True(Signals.Send(pid, Signals.Kill));
            pid = await shop.HealthyAgainAsync("orders", pid);
        }

        Assert.DoesNotContain("400 ms", await File.ReadAllTextAsync(_directory.File("logs/orders.log"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_part_that_keeps_ending_is_named_with_its_last_lines_and_the_others_are_stopped()
    {
        await using var shop = new RunningShop(_directory.Path, new() { FirstBackoff = TimeSpan.FromMilliseconds(10) },
            Script("kafka", string.Format(StayReady, "kafka")), Script("payments", "echo the reason; exit 3"));

        Assert.Equal(1, await shop.Ended);

        Assert.Contains("payments | the reason", shop.Output);
        Assert.Contains($"The shop did not start: payments ended with code 3. The whole log: {_directory.File("logs/payments.log")}", shop.Output);
        Assert.Empty(Leftovers.Of(_directory.Path));
    }

    [Fact]
    public async Task A_part_that_does_not_become_healthy_in_time_has_failed()
    {
        await using var shop = new RunningShop(_directory.Path, new() { StartDeadline = TimeSpan.FromSeconds(0.3) }, Script("activity", "exec sleep 100"));

        Assert.Equal(1, await shop.Ended);

        Assert.Contains("The shop did not start: activity was not healthy in time", shop.Output);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_a_failed_part()
    {
        var part = new Part("gateway", 1, "") { Title = "gateway", Command = _ => Task.FromResult(new ProcessSpec("/no/such/program") { WorkingDirectory = "/no/such/directory" }), Probe = _ => Task.FromResult(true) };
        await using var shop = new RunningShop(_directory.Path, new(), part);

        Assert.Equal(1, await shop.Ended);

        Assert.Contains("The shop did not start: gateway cannot start", shop.Output);
    }

    [Fact]
    public async Task The_state_file_has_the_shape_of_the_status_command()
    {
        await using var shop = new RunningShop(_directory.Path, new(), Script("orders", string.Format(StayReady, "orders")));
        await shop.IsUpAsync();

        var text = await File.ReadAllTextAsync(shop.StateFile, TestContext.Current.CancellationToken);

        var pid = shop.Part("orders").GetProperty("pid").GetInt32();
        Assert.True(pid > 0);
        Assert.Equal(
            $$"""{"url":"http://localhost:1","apphost":{{Environment.ProcessId}},"parts":[{"name":"orders","instance":1,"pid":{{pid}},"url":"http://127.0.0.1/orders","state":"healthy","restarts":0}]}""" + "\n",
            text);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(text).RootElement.ValueKind);
    }

    [Fact]
    public async Task A_second_runner_on_the_same_data_leaves_the_first_alone()
    {
        await using var first = new RunningShop(_directory.Path, new(), Script("orders", string.Format(StayReady, "orders")));
        await first.IsUpAsync();
        var pid = first.Part("orders").GetProperty("pid").GetInt32();

        await using var second = new RunningShop(_directory.Path, new(), Script("orders", string.Format(StayReady, "orders")));

        Assert.Equal(0, await second.Ended);
        Assert.Contains("already running", second.Output);
        Assert.Equal(pid, first.Part("orders").GetProperty("pid").GetInt32());
    }

    private Part Script(string name, string script, params string[] waitsFor) => RunningShop.Script(_directory.Path, name, script, waitsFor);
}
