using Confluent.Kafka;
using Shop.AppHost.Running;

namespace Shop.KafkaBroker.Tests;

/// <summary>How clients notice that a log is not the one they knew: leader epochs where it lost its tail, topic ids where it was made anew.</summary>
public sealed class LeaderEpochTests : IDisposable
{
    private readonly TemporaryDirectory _data = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Every_start_begins_an_epoch_and_says_where_earlier_ones_end()
    {
        for (var epoch = 0; epoch < 4; epoch++)
        {
            await using var kafka = await StartAsync();
            await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
            if (epoch == 0)
                await Clients.CreateTopicAsync(kafka.BootstrapServers, "events", configs: new() { ["segment.bytes"] = "2000" });
            for (var i = 0; i < 50 && epoch != 2; i++) // nothing is written in the third
                Assert.Equal(ErrorCode.None, (await client.ProduceAsync("events", Batches.Build($"{i}"))).Error);
            for (var known = 0; known <= epoch; known++)
                Assert.Equal((ErrorCode.None, known, new[] { 50L, 100, 100, 150 }[known]), await EndOfEpochAsync(client, epoch, known));

            Assert.Equal((ErrorCode.None, -1, -1), await EndOfEpochAsync(client, epoch, epoch + 1));
            Assert.Equal(ErrorCode.UnknownLeaderEpoch, (await EndOfEpochAsync(client, epoch + 1, 0)).Error);
            if (epoch > 0)
                Assert.Equal(ErrorCode.FencedLeaderEpoch, (await EndOfEpochAsync(client, epoch - 1, 0)).Error);
        }
    }

    [Theory]
    [InlineData(40)] // the log stays shorter than what was read
    [InlineData(200)] // it is longer again when the consumer is back
    public async Task A_consumer_notices_that_the_log_lost_what_it_had_read(int backlog)
    {
        var port = Ports.Free();
        using var consumer = Clients.Consumer($"127.0.0.1:{port}", "readers");
        await using (var kafka = await StartAsync(port))
        {
            await ProduceAsync(kafka, "before", 100);
            // as no member of a group, which would begin again wherever it had to rejoin
            consumer.Assign(new TopicPartitionOffset("events", 0, Offset.Beginning));
            for (var read = 0; read < 100; read++)
                Assert.Equal(0, consumer.Consume(TimeSpan.FromMinutes(1)).LeaderEpoch);
        }
        LoseTail();
        AppendOffline(backlog);
        await using var again = await StartAsync(port);
        var seen = new List<string>();
        await Eventually.BecomesTrueAsync(() =>
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                seen.Add(record.Message.Value);
            return Task.FromResult(seen.Contains($"after-{backlog - 1}"));
        });

        Assert.Equal(Enumerable.Range(0, backlog).Select(i => $"after-{i}"), seen.Where(value => value.StartsWith("after", StringComparison.Ordinal)));
    }

    [Long]
    [Fact]
    public async Task Java_s_consumer_notices_it_even_when_it_was_started_anew()
    {
        await ForeignClients.RequireAsync("Apache Kafka's console tools");
        await using (var kafka = await StartAsync())
        {
            await ProduceAsync(kafka, "before", 100);
            Assert.Equal(100, (await ReadAsync(kafka, 100)).Count);
        }
        LoseTail();
        AppendOffline(200);
        await using var again = await StartAsync();

        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"after-{i}"), await ReadAsync(again, 200));

        static Task<IReadOnlyList<string>> ReadAsync(EmbeddedKafka kafka, int count) => ForeignClients.RunJavaAsync("org.apache.kafka.tools.consumer.ConsoleConsumer",
            "--bootstrap-server", kafka.BootstrapServers, "--topic", "events", "--group", "readers", "--from-beginning", "--max-messages", $"{count}", "--timeout-ms", "120000");
    }

    [Fact]
    public async Task Clients_see_that_a_topic_was_made_anew()
    {
        var ids = new List<string>();
        for (var start = 0; start < 2; start++)
        {
            await using var kafka = await StartAsync();
            using var admin = Clients.Admin(kafka.BootstrapServers);
            if (start == 0)
            {
                await Clients.CreateTopicAsync(kafka.BootstrapServers, "events");
                ids.Add(await IdAsync(admin));
                await admin.DeleteTopicsAsync(["events"]);
                await Clients.CreateTopicAsync(kafka.BootstrapServers, "events");
            }
            ids.Add(await IdAsync(admin));
        }

        Assert.NotEqual(ids[0], ids[1]);
        Assert.Equal(ids[1], ids[2]);

        static async Task<string> IdAsync(IAdminClient admin)
        {
            var described = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["events"]));
            return described.TopicDescriptions.Single().TopicId.ToString();
        }
    }

    private static async Task ProduceAsync(EmbeddedKafka kafka, string name, int count)
    {
        using var producer = Clients.Producer(kafka.BootstrapServers);
        for (var i = 0; i < count; i++)
            await producer.ProduceAsync("events", new() { Value = $"{name}-{i}" }, Cancelled);
    }

    private static async Task<(ErrorCode Error, int Epoch, long EndOffset)> EndOfEpochAsync(WireClient client, int current, int epoch)
    {
        var answer = await client.SendAsync(ApiKey.OffsetForLeaderEpoch, 2, w =>
        {
            w.ArrayLength(1);
            w.String("events");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int32(current);
            w.Int32(epoch);
        });
        answer.Int32();
        return answer.Array(6, r => (r.String(), r.Array(18, r => ((ErrorCode)r.Int16(), r.Int32(), Epoch: r.Int32(), r.Int64()))[0]).Item2)
            .Select(found => (found.Item1, found.Epoch, found.Item4)).Single();
    }

    private Task<EmbeddedKafka> StartAsync(int port = 0) => EmbeddedKafka.StartAsync(new() { DataDirectory = _data.Path, Port = port }, Cancelled);

    /// <summary>What a power loss may do: the log ends earlier, and the files that vouch for it are gone.</summary>
    private void LoseTail()
    {
        foreach (var file in Directory.GetFiles(_data.Path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) == ".index" || Path.GetFileName(file) == "clean"))
            File.Delete(file);
        using var log = File.OpenWrite(Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single());
        log.SetLength(log.Length * 3 / 10);
    }

    /// <summary>Makes the log longer while no client is connected.</summary>
    private void AppendOffline(int count)
    {
        using var broker = new Broker(_data.Path, new());
        for (var i = 0; i < count; i++)
            Assert.Equal(ErrorCode.None, broker.FindLog("events", 0)!.Append(Batches.Build($"after-{i}")).Error);
    }
}
