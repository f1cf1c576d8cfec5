namespace Shop.KafkaBroker.Tests;

public sealed class DiskFullTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_is_answered_with_an_error_and_damages_nothing()
    {
        using var directory = new TemporaryDirectory();
        await using var disk = await SmallDisk.MountAsync(directory.Path, "4m");
        await disk.TakeAsync(1 << 20);
        var data = Path.Combine(directory.Path, "data");
        List<(long, string)> acknowledged;
        await using (var kafka = await EmbeddedKafka.StartAsync(new() { DataDirectory = data, TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "500000" } }, Cancelled))
        {
            await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
            await client.SendAsync(ApiKey.Metadata, 1, w => w.Array(["events"], (w, name) => w.String(name)));
            acknowledged = await FillAsync(client, kafka.BootstrapServers);
            await disk.MakeRoomAsync();
            Assert.Equal((ErrorCode.None, acknowledged.Count), await client.ProduceAsync("events", Batches.Build("after")));
            acknowledged.Add((acknowledged.Count, "after"));
            Assert.Equal(acknowledged, Read(kafka.BootstrapServers, acknowledged.Count));
        }
        await using var again = await EmbeddedKafka.StartAsync(new() { DataDirectory = data }, Cancelled);
        Assert.Equal(acknowledged, Read(again.BootstrapServers, acknowledged.Count));
    }

    [Fact]
    public async Task Clients_wait_while_the_disk_is_full_and_go_on_when_there_is_room()
    {
        using var directory = new TemporaryDirectory();
        await using var disk = await SmallDisk.MountAsync(directory.Path, "4m");
        var options = new EmbeddedKafkaOptions { DataDirectory = Path.Combine(directory.Path, "data"), TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "100000" } };
        await using (var kafka = await EmbeddedKafka.StartAsync(options, Cancelled))
        {
            await Clients.CreateTopicAsync(kafka.BootstrapServers, "events");
            using var consumer = Clients.Consumer(kafka.BootstrapServers, "readers");
            using var producer = Clients.Producer(kafka.BootstrapServers);
            await producer.ProduceAsync("events", new() { Value = "0" }, Cancelled);
            disk.Fill();
            var delivered = Enumerable.Range(1, 20).Select(i => producer.ProduceAsync("events", new() { Value = $"{i}".PadRight(10_000) }, Cancelled)).ToList();
            using var late = Clients.Producer(kafka.BootstrapServers); // has no producer id yet, and its topic is not there
            var made = late.ProduceAsync("late", new() { Value = "late" }, Cancelled);
            var committed = Task.Run(() => consumer.Commit([new("events", 0, 1, leaderEpoch: 0)]), Cancelled);
            await using (var client = await WireClient.ConnectAsync(kafka.BootstrapServers))
                Assert.Equal(ErrorCode.KafkaStorageError, (await client.ProduceAsync("events", Batches.Build(new string('x', 100_000)))).Error);
            Assert.DoesNotContain(delivered, record => record.IsFaulted);
            Assert.False(made.IsCompleted);
            await disk.MakeRoomAsync();
            await Task.WhenAll([.. delivered, made, committed]);
        }
        await using var again = await EmbeddedKafka.StartAsync(options, Cancelled);
        using var reader = Clients.Consumer(again.BootstrapServers, "readers");

        Assert.Equal(Enumerable.Range(0, 21).Select(i => $"{i}"), Clients.ReadAll(again.BootstrapServers, "events", 21).Select(record => record.Message.Value.TrimEnd()));
        Assert.Equal("late", Clients.ReadAll(again.BootstrapServers, "late", 1).Single().Message.Value);
        Assert.Equal(1, reader.Committed([new("events", 0)], TimeSpan.FromMinutes(1))[0].Offset.Value);
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
}
