using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

public sealed class GroupTests
{
    private const int Partitions = 6;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PartitionAssignmentStrategy.Range)]
    [InlineData(PartitionAssignmentStrategy.RoundRobin)]
    [InlineData(PartitionAssignmentStrategy.CooperativeSticky)]
    public async Task A_group_grows_and_shrinks_under_load_without_a_loss(PartitionAssignmentStrategy assignor)
    {
        await using var kafka = await EmbeddedKafka.StartAsync(new() { DefaultPartitions = Partitions }, Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "events", Partitions);
        using var producing = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var produced = ProduceUntilAsync(kafka.BootstrapServers, producing.Token);
        var seen = new ConcurrentDictionary<string, int>();
        var members = new List<GroupMember>();

        for (var count = 1; count <= 3; count++)
        {
            members.Add(new(kafka.BootstrapServers, assignor, seen));
            await Until(() => members.Sum(member => member.Assigned) == Partitions && members.All(member => member.Assigned == Partitions / count));
        }
        while (members.Count > 1)
        {
            await members[0].DisposeAsync();
            members.RemoveAt(0);
            await Until(() => members.Sum(member => member.Assigned) == Partitions);
        }
        await producing.CancelAsync();
        var total = await produced;
        await Until(() => seen.Count == total);
        await members[0].DisposeAsync();

        Assert.InRange(seen.Values.Sum(), total, total * 3 / 2); // at least once: repeats only around rebalances
    }

    private static async Task<int> ProduceUntilAsync(string bootstrapServers, CancellationToken stop)
    {
        using var producer = Clients.Producer(bootstrapServers);
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < 20; i++, count++)
                producer.Produce("events", new() { Key = $"{count}", Value = $"{count}" });
            await Task.Delay(10, CancellationToken.None);
        }
        producer.Flush(TimeSpan.FromSeconds(10));
        return count;
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(30); !condition();)
        {
            Assert.True(DateTime.UtcNow < deadline, "it took too long");
            await Task.Delay(20, Cancelled);
        }
    }

    private sealed class GroupMember : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private int _assigned;

        public GroupMember(string bootstrapServers, PartitionAssignmentStrategy assignor, ConcurrentDictionary<string, int> seen) =>
            _running = Task.Factory.StartNew(() => Run(bootstrapServers, assignor, seen), TaskCreationOptions.LongRunning);

        public int Assigned => Volatile.Read(ref _assigned);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private void Run(string bootstrapServers, PartitionAssignmentStrategy assignor, ConcurrentDictionary<string, int> seen)
        {
            using var consumer = Clients.Consumer(bootstrapServers, "group", config => config.PartitionAssignmentStrategy = assignor);
            consumer.Subscribe("events");
            while (!_stop.IsCancellationRequested)
            {
                var record = consumer.Consume(TimeSpan.FromMilliseconds(20));
                Volatile.Write(ref _assigned, consumer.Assignment.Count);
                if (record is null)
                    continue;
                seen.AddOrUpdate(record.Message.Value, 1, (_, times) => times + 1);
                Commit(consumer, record);
            }
            consumer.Close();
        }

        private static void Commit(IConsumer<string, string> consumer, ConsumeResult<string, string> record)
        {
            try
            {
                if (record.Offset % 10 == 9)
                    consumer.Commit(record);
            }
            catch (KafkaException refused) when ((int)refused.Error.Code is 22 or 25 or 27)
            {
                // the partition is another member's by now, which reads the record again
            }
        }
    }
}
