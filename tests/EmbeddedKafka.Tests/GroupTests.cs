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
        var progress = new Progress();
        var members = new List<GroupMember>();

        for (var count = 1; count <= 3; count++)
        {
            members.Add(new(kafka.BootstrapServers, assignor, progress));
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
        await Until(() => progress.Seen.Count == total);
        await members[0].DisposeAsync();

        TestContext.Current.SendDiagnosticMessage($"{assignor}: {total} records, {progress.Seen.Values.Sum() - total} read again");
        Assert.Empty(progress.ReadAgain);
    }

    [Fact]
    public async Task A_static_member_that_restarts_causes_no_rebalance()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "events", 2);
        var rebalances = 0;
        using var stays = new ConsumerBuilder<string, string>(Clients.ConsumerConfig(kafka.BootstrapServers, "group", config => config.GroupInstanceId = "stays"))
            .SetPartitionsAssignedHandler((_, _) => rebalances++).SetLogHandler((_, _) => { }).Build();
        var restarts = Clients.Consumer(kafka.BootstrapServers, "group", config => config.GroupInstanceId = "restarts");
        stays.Subscribe("events");
        restarts.Subscribe("events");
        PollUntil(() => stays.Assignment.Count == 1 && restarts.Assignment.Count == 1, stays, restarts);
        var (before, share) = (rebalances, restarts.Assignment.Single());

        restarts.Close();
        restarts.Dispose();
        using var restarted = Clients.Consumer(kafka.BootstrapServers, "group", config => config.GroupInstanceId = "restarts");
        restarted.Subscribe("events");
        PollUntil(() => restarted.Assignment.Count == 1, stays, restarted);
        for (var i = 0; i < 10; i++) // several heartbeats: a rebalance would show by now
            stays.Consume(TimeSpan.FromMilliseconds(100));

        Assert.Equal(share, restarted.Assignment.Single());
        Assert.Equal(before, rebalances);
    }

    private static void PollUntil(Func<bool> condition, params IConsumer<string, string>[] consumers)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(30); !condition();)
        {
            Assert.True(DateTime.UtcNow < deadline, "it took too long");
            foreach (var consumer in consumers)
                consumer.Consume(TimeSpan.FromMilliseconds(50));
        }
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

    /// <summary>What all members together have read and committed.</summary>
    private sealed class Progress
    {
        public ConcurrentDictionary<string, int> Seen { get; } = [];

        /// <summary>The next offset of each partition, as of the last commit that was acknowledged.</summary>
        public ConcurrentDictionary<int, long> Committed { get; } = [];

        /// <summary>Records that a member began with although they had been committed: what at-least-once does not allow.</summary>
        public ConcurrentQueue<string> ReadAgain { get; } = [];
    }

    private sealed class GroupMember : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private int _assigned;

        public GroupMember(string bootstrapServers, PartitionAssignmentStrategy assignor, Progress progress) =>
            _running = Task.Factory.StartNew(() => Run(bootstrapServers, assignor, progress), TaskCreationOptions.LongRunning);

        public int Assigned => Volatile.Read(ref _assigned);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private void Run(string bootstrapServers, PartitionAssignmentStrategy assignor, Progress progress)
        {
            var begun = new Dictionary<int, long>();
            using var consumer = new ConsumerBuilder<string, string>(Clients.ConsumerConfig(bootstrapServers, "group", config => config.PartitionAssignmentStrategy = assignor))
                .SetPartitionsAssignedHandler((_, partitions) =>
                {
                    foreach (var partition in partitions)
                        begun[partition.Partition] = progress.Committed.GetValueOrDefault(partition.Partition);
                }).SetLogHandler((_, _) => { }).Build();
            consumer.Subscribe("events");
            while (!_stop.IsCancellationRequested)
            {
                var record = consumer.Consume(TimeSpan.FromMilliseconds(20));
                Volatile.Write(ref _assigned, consumer.Assignment.Count);
                if (record is null)
                    continue;
                progress.Seen.AddOrUpdate(record.Message.Value, 1, (_, times) => times + 1);
                if (begun.Remove(record.Partition, out var committed) && record.Offset < committed)
                    progress.ReadAgain.Enqueue($"partition {record.Partition} at {record.Offset}, committed {committed}");
                if (record.Offset % 10 == 9)
                    Commit(consumer, record, progress);
            }
            consumer.Close();
        }

        private static void Commit(IConsumer<string, string> consumer, ConsumeResult<string, string> record, Progress progress)
        {
            try
            {
                consumer.Commit(record);
                progress.Committed[record.Partition] = record.Offset + 1;
            }
            catch (KafkaException refused) when ((int)refused.Error.Code is 22 or 25 or 27)
            {
                // the group rebalances: whoever gets the partition reads the record again
            }
        }
    }
}
