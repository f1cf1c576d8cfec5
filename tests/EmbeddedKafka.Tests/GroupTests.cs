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
        var produced = Load.ProduceUntilAsync(kafka.BootstrapServers, producing.Token);
        var progress = new GroupProgress();
        var members = new List<GroupMember>();

        for (var count = 1; count <= 3; count++)
        {
            members.Add(new(kafka.BootstrapServers, assignor, progress));
            await UntilAsync(() => members.Sum(member => member.Assigned) == Partitions && members.All(member => member.Assigned == Partitions / count));
        }
        while (members.Count > 1)
        {
            await members[0].DisposeAsync();
            members.RemoveAt(0);
            await UntilAsync(() => members.Sum(member => member.Assigned) == Partitions);
        }
        await producing.CancelAsync();
        var total = await produced;
        await UntilAsync(() => progress.Read.Count == total);
        await members[0].DisposeAsync();

        TestContext.Current.SendDiagnosticMessage($"{assignor}: {total} records, {progress.Read.Values.Sum() - total} read again");
        Assert.Empty(progress.ReadAgain);

        Task UntilAsync(Func<bool> condition) =>
            Load.UntilAsync(condition, () => $"{string.Join(", ", members.Select(member => member.Assigned))} partitions, {progress.Read.Count} records read");
    }

    [Fact]
    public async Task A_static_member_that_restarts_causes_no_rebalance()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "events", 2);
        var rebalances = 0;
        using var stays = new ConsumerBuilder<string, string>(Clients.ConsumerConfig(kafka.BootstrapServers, "group", config => Static(config, "stays")))
            .SetPartitionsAssignedHandler((_, _) => rebalances++).SetLogHandler((_, _) => { }).Build();
        var restarts = Clients.Consumer(kafka.BootstrapServers, "group", config => Static(config, "restarts"));
        stays.Subscribe("events");
        restarts.Subscribe("events");
        PollUntil(() => stays.Assignment.Count == 1 && restarts.Assignment.Count == 1, stays, restarts);
        var (before, share) = (rebalances, restarts.Assignment.Single());

        restarts.Close();
        restarts.Dispose();
        using var restarted = Clients.Consumer(kafka.BootstrapServers, "group", config => Static(config, "restarts"));
        restarted.Subscribe("events");
        PollUntil(() => restarted.Assignment.Count == 1, stays, restarted);
        for (var i = 0; i < 10; i++) // several heartbeats: a rebalance would show by now
            stays.Consume(TimeSpan.FromMilliseconds(100));

        Assert.Equal(share, restarted.Assignment.Single());
        Assert.Equal(before, rebalances);

        // as long away as its session lasts: starting again takes its time on a busy machine
        static void Static(ConsumerConfig config, string instance) => (config.GroupInstanceId, config.SessionTimeoutMs) = (instance, 60_000);
    }

    private static void PollUntil(Func<bool> condition, params IConsumer<string, string>[] consumers)
    {
        for (var deadline = DateTime.UtcNow + Eventually.DefaultDeadline; !condition();)
        {
            Assert.True(DateTime.UtcNow < deadline, "it took too long");
            foreach (var consumer in consumers)
                consumer.Consume(TimeSpan.FromMilliseconds(50));
        }
    }

    private sealed class GroupMember : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly MemberProgress _progress;
        private readonly Task _running;

        public GroupMember(string bootstrapServers, PartitionAssignmentStrategy assignor, GroupProgress progress)
        {
            _progress = new(progress);
            _running = Task.Factory.StartNew(() => Run(bootstrapServers, assignor), TaskCreationOptions.LongRunning);
        }

        public int Assigned => _progress.Assigned;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private void Run(string bootstrapServers, PartitionAssignmentStrategy assignor)
        {
            using var consumer = new ConsumerBuilder<string, string>(Clients.ConsumerConfig(bootstrapServers, "group", config => config.PartitionAssignmentStrategy = assignor))
                .SetPartitionsAssignedHandler((_, partitions) => _progress.OnAssigned(partitions.Select(partition => partition.Partition.Value)))
                .SetPartitionsRevokedHandler((_, partitions) => _progress.OnRevoked(partitions.Select(partition => partition.Partition.Value)))
                .SetLogHandler((_, _) => { }).Build();
            consumer.Subscribe("events");
            while (!_stop.IsCancellationRequested)
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(20)) is not { } record)
                    continue;
                _progress.OnRead(record.Partition, record.Offset);
                if (record.Offset % 10 == 9)
                    Commit(consumer, record);
            }
            consumer.Close();
        }

        private void Commit(IConsumer<string, string> consumer, ConsumeResult<string, string> record)
        {
            try
            {
                consumer.Commit(record);
                _progress.OnCommitted(record.Partition, record.Offset + 1);
            }
            catch (KafkaException refused) when ((int)refused.Error.Code is 22 or 25 or 27)
            {
                // the group rebalances: whoever gets the partition reads the record again
            }
        }
    }
}
