using System.Diagnostics;

namespace Shop.KafkaBroker.Tests;

public sealed class DiskFullTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_is_answered_with_an_error_and_damages_nothing()
    {
        using var directory = new TemporaryDirectory();
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory.Path), "mounting a small file system needs root");
        try
        {
            var filler = Path.Combine(directory.Path, "filler");
            await File.WriteAllBytesAsync(filler, new byte[1 << 20], Cancelled);
            var data = Path.Combine(directory.Path, "data");
            List<(long, string)> acknowledged;
            await using (var kafka = await EmbeddedKafka.StartAsync(new() { DataDirectory = data, TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "500000" } }, Cancelled))
            {
                await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
                await client.SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
                acknowledged = await FillAsync(client, kafka.BootstrapServers);
                File.Delete(filler);
                Assert.Equal((ErrorCode.None, acknowledged.Count), await client.ProduceAsync("events", Batches.Build("after")));
                acknowledged.Add((acknowledged.Count, "after"));
                Assert.Equal(acknowledged, Read(kafka.BootstrapServers, acknowledged.Count));
            }
            await using var again = await EmbeddedKafka.StartAsync(new() { DataDirectory = data }, Cancelled);
            Assert.Equal(acknowledged, Read(again.BootstrapServers, acknowledged.Count));
        }
        finally
        {
            // busy for as long as a process that another test has just started has not closed what it inherited
            await Eventually.BecomesTrueAsync(() => RunAsync("umount", directory.Path));
        }
    }

    [Fact]
    public async Task Clients_wait_while_the_disk_is_full_and_go_on_when_there_is_room()
    {
        using var directory = new TemporaryDirectory();
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory.Path), "mounting a small file system needs root");
        try
        {
            var filler = Path.Combine(directory.Path, "filler");
            var options = new EmbeddedKafkaOptions { DataDirectory = Path.Combine(directory.Path, "data"), TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "100000" } };
            await using (var kafka = await EmbeddedKafka.StartAsync(options, Cancelled))
            {
                await Clients.CreateTopicAsync(kafka.BootstrapServers, "events");
                using var consumer = Clients.Consumer(kafka.BootstrapServers, "readers");
                using var producer = Clients.Producer(kafka.BootstrapServers);
                await producer.ProduceAsync("events", new() { Value = "0" }, Cancelled);
                var full = Fill(filler);
                var delivered = Enumerable.Range(1, 20).Select(i => producer.ProduceAsync("events", new() { Value = $"{i}".PadRight(10_000) }, Cancelled)).ToList();
                using var late = Clients.Producer(kafka.BootstrapServers); // has no producer id yet, and its topic is not there
                var made = late.ProduceAsync("late", new() { Value = "late" }, Cancelled);
                var committed = Task.Run(() => consumer.Commit([new("events", 0, 1, leaderEpoch: 0)]), Cancelled);
                await using (var client = await WireClient.ConnectAsync(kafka.BootstrapServers))
                    Assert.Equal(ErrorCode.KafkaStorageError, (await client.ProduceAsync("events", Batches.Build(new string('x', 100_000)))).Error);
                Assert.DoesNotContain(delivered, record => record.IsFaulted);
                Assert.False(made.IsCompleted);
                await full.DisposeAsync();
                File.Delete(filler);
                await Task.WhenAll([.. delivered, made, committed]);
            }
            await using var again = await EmbeddedKafka.StartAsync(options, Cancelled);
            using var reader = Clients.Consumer(again.BootstrapServers, "readers");

            Assert.Equal(Enumerable.Range(0, 21).Select(i => $"{i}"), Clients.ReadAll(again.BootstrapServers, "events", 21).Select(record => record.Message.Value.TrimEnd()));
            Assert.Equal("late", Clients.ReadAll(again.BootstrapServers, "late", 1).Single().Message.Value);
            Assert.Equal(1, reader.Committed([new("events", 0)], TimeSpan.FromMinutes(1))[0].Offset.Value);
        }
        finally
        {
            await Eventually.BecomesTrueAsync(() => RunAsync("umount", directory.Path));
        }
    }

    /// <summary>Takes every byte that is left.</summary>
    private static FileStream Fill(string path)
    {
        var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        foreach (var size in new[] { 65536, 4096, 1 })
        {
            try
            {
                while (true)
                    file.Write(new byte[size]);
            }
            catch (IOException)
            {
                // no room for as much
            }
        }
        return file;
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
