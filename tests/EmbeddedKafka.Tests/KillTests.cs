using Shop.AppHost.Running;

namespace Shop.KafkaBroker.Tests;

public sealed class KillTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>How often the broker is killed; SHOP_KAFKA_KILLS changes it.</summary>
    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("SHOP_KAFKA_KILLS"), out var kills) ? kills : 20;

    [Long]
    [Fact]
    public async Task Killed_under_an_idempotent_producer_nothing_is_lost_and_nothing_is_twice()
    {
        using var data = new TemporaryDirectory();
        var port = Ports.Free(); // below the ephemeral range: nobody takes it while the broker is away
        var broker = await BrokerProcess.StartAsync(data.Path, port, "--topic", "segment.bytes=200000");
        var bootstrapServers = broker.BootstrapServers;
        await Clients.CreateTopicAsync(bootstrapServers, "events");
        using var stop = new CancellationTokenSource();
        var producing = ProduceAsync(bootstrapServers, stop.Token);
        var consuming = Task.Run(() => ConsumeAsync(bootstrapServers, producing), Cancelled);
        List<int> seen;
        List<Confluent.Kafka.ConsumeResult<string, string>> records;
        int count;
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                await Task.Delay(Random.Shared.Next(20, 200), Cancelled);
                await broker.KillAsync();
                await broker.DisposeAsync();
                broker = await BrokerProcess.StartAsync(data.Path, port, "--topic", "segment.bytes=200000");
            }
            await stop.CancelAsync();
            count = await producing;
            seen = await consuming;
            records = Clients.ReadAll(bootstrapServers, "events", count);
        }
        finally
        {
            await stop.CancelAsync();
            await broker.DisposeAsync();
        }

        Assert.True(count > Kills * 100, $"only {count} records were produced");
        Assert.Equal(Enumerable.Range(0, count), records.Select(record => int.Parse(record.Message.Value)));
        Assert.Equal(Enumerable.Range(0, count), seen);
    }

    /// <summary>Reads along through every kill, until everything that was produced has been seen.</summary>
    private static async Task<List<int>> ConsumeAsync(string bootstrapServers, Task<int> producing)
    {
        using var consumer = Clients.Consumer(bootstrapServers, "verifier", config =>
        {
            config.ReconnectBackoffMs = 20;
            config.ReconnectBackoffMaxMs = 100;
        });
        consumer.Assign(new Confluent.Kafka.TopicPartitionOffset("events", 0, Confluent.Kafka.Offset.Beginning));
        var seen = new List<int>();
        for (var deadline = DateTime.MaxValue; DateTime.UtcNow < deadline && !(producing.IsCompleted && seen.Count >= await producing);)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                seen.Add(int.Parse(record.Message.Value));
            if (producing.IsCompleted && deadline == DateTime.MaxValue)
                deadline = DateTime.UtcNow + Eventually.DefaultDeadline;
        }
        return seen;
    }

    private static async Task<int> ProduceAsync(string bootstrapServers, CancellationToken stop)
    {
        using var producer = Clients.Producer(bootstrapServers, config =>
        {
            config.ReconnectBackoffMs = 20;
            config.ReconnectBackoffMaxMs = 100;
            config.RetryBackoffMs = 20;
            config.MessageTimeoutMs = 3_600_000; // however long the kills take
        });
        var (count, refused) = (0, 0);
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < 50; i++)
            {
                try
                {
                    producer.Produce("events", new() { Key = "key", Value = $"{count}" }, report => refused += report.Error.IsError ? 1 : 0);
                    count++;
                }
                catch (Confluent.Kafka.ProduceException<string, string> e) when (e.Error.Code == Confluent.Kafka.ErrorCode.Local_QueueFull)
                {
                    // the broker was away for long: what waits for it fills the client's queue
                    break;
                }
            }
            await Task.Delay(2, CancellationToken.None);
        }
        Assert.Equal(0, producer.Flush(Eventually.DefaultDeadline));
        Assert.Equal(0, refused);
        return count;
    }
}
