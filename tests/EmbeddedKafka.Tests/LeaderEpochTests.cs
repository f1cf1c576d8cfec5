using Confluent.Kafka;

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
    [InlineData(200)] // it is longer again before the consumer is back
    public async Task A_consumer_notices_that_the_log_lost_what_it_had_read(int backlog)
    {
        await using (var kafka = await StartAsync())
        {
            await ProduceAsync(kafka, "before", 100);
            using var consumer = Consumer(kafka);
            consumer.Subscribe("events");
            ConsumeResult<string, string>? last = null;
            for (var read = 0; read < 100; read++)
                last = consumer.Consume(TimeSpan.FromMinutes(1));
            Assert.Equal(0, last!.LeaderEpoch);
            consumer.Commit(last);
            consumer.Close();
        }
        foreach (var index in Directory.GetFiles(_data.Path, "*.index", SearchOption.AllDirectories).Concat(Directory.GetFiles(_data.Path, "clean", SearchOption.AllDirectories)))
            File.Delete(index); // as after a power loss
        using (var log = File.OpenWrite(Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single()))
            log.SetLength(log.Length * 3 / 10);
        await using var again = await StartAsync();
        await ProduceAsync(again, "after", backlog);
        using var reader = Consumer(again);
        reader.Subscribe("events");
        var seen = new List<string>();
        await Eventually.BecomesTrueAsync(() =>
        {
            if (reader.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                seen.Add(record.Message.Value);
            return Task.FromResult(seen.Count(value => value.StartsWith("after", StringComparison.Ordinal)) == backlog);
        });

        Assert.Equal(Enumerable.Range(0, backlog).Select(i => $"after-{i}"), seen.Where(value => value.StartsWith("after", StringComparison.Ordinal)));
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

    private static IConsumer<string, string> Consumer(EmbeddedKafka kafka) => Clients.Consumer(kafka.BootstrapServers, "readers");

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

    private Task<EmbeddedKafka> StartAsync() => EmbeddedKafka.StartAsync(new() { DataDirectory = _data.Path }, Cancelled);
}
