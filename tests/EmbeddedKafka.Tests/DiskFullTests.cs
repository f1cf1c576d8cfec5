using System.Diagnostics;

namespace Shop.KafkaBroker.Tests;

public sealed class DiskFullTests
{
    [Fact]
    public async Task A_full_disk_is_answered_with_an_error_and_damages_nothing()
    {
        using var directory = new TemporaryDirectory();
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory.Path), "mounting a small file system needs root");
        try
        {
            var filler = Path.Combine(directory.Path, "filler");
            await File.WriteAllBytesAsync(filler, new byte[1 << 20], TestContext.Current.CancellationToken);
            var data = Path.Combine(directory.Path, "data");
            List<(long, string)> acknowledged;
            await using (var kafka = await EmbeddedKafka.StartAsync(new() { DataDirectory = data, TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "500000" } }, TestContext.Current.CancellationToken))
            {
                await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
                await client.SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
                acknowledged = await FillAsync(client, kafka.BootstrapServers);
                File.Delete(filler);
                Assert.Equal((ErrorCode.None, acknowledged.Count), await client.ProduceAsync("events", Batches.Build("after")));
                acknowledged.Add((acknowledged.Count, "after"));
                Assert.Equal(acknowledged, Read(kafka.BootstrapServers, acknowledged.Count));
            }
            await using var again = await EmbeddedKafka.StartAsync(new() { DataDirectory = data }, TestContext.Current.CancellationToken);
            Assert.Equal(acknowledged, Read(again.BootstrapServers, acknowledged.Count));
        }
        finally
        {
            // busy for as long as a process that another test has just started has not closed what it inherited
            await Eventually.BecomesTrueAsync(() => RunAsync("umount", directory.Path));
        }
    }

    /// <summary>Produces until the disk is full, and a little longer.</summary>
    private static async Task<List<(long, string)>> FillAsync(WireClient client, string bootstrapServers)
    {
        var acknowledged = new List<(long, string)>();
        for (var refusals = 0; refusals < 5;)
        {
            var value = acknowledged.Count.ToString().PadRight(50_000, 'x');
            var (error, offset) = await client.ProduceAsync("events", Batches.Build(value));
            if (error == ErrorCode.None)
            {
                acknowledged.Add((offset, value));
                continue;
            }
            Assert.Equal(ErrorCode.KafkaStorageError, error);
            refusals++;
        }
        Assert.InRange(acknowledged.Count, 20, 80);
        Assert.Equal(acknowledged, Read(bootstrapServers, acknowledged.Count));
        return acknowledged;
    }

    private static List<(long, string)> Read(string bootstrapServers, int count) =>
        [.. Clients.ReadAll(bootstrapServers, "events", count).Select(record => (record.Offset.Value, record.Message.Value))];

    private static async Task<bool> RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
