namespace Shop.KafkaBroker.Tests;

/// <summary>Groups whose members are clients in other languages, each a process.</summary>
public sealed class ForeignGroupTests
{
    private const int Partitions = 6;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Long]
    [Theory]
    [InlineData("kafka-python", "range", "roundrobin")] // its sticky assignor gives the second member everything, with Apache Kafka too
    [InlineData("KafkaJS", "roundrobin")] // the only one it has
    [InlineData("kcat", "range", "roundrobin", "cooperative-sticky")]
    [InlineData("Apache Kafka's console tools", "Range", "RoundRobin", "Sticky", "CooperativeSticky")]
    public async Task A_group_grows_and_shrinks_under_load_without_a_loss(string client, params string[] assignors)
    {
        await ForeignClients.RequireAsync(client);
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "events", Partitions);
        using var producing = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var load = Load.ProduceUntilAsync(kafka.BootstrapServers, producing.Token);
        var groups = assignors.Select(assignor => new Group(client, assignor, kafka.BootstrapServers)).ToList();
        try
        {
            await Task.WhenAll(groups.Select(group => group.GrowAndShrinkAsync()));
            await producing.CancelAsync();
            var total = await load;
            await Task.WhenAll(groups.Select(group => group.EndAsync(total)));

            foreach (var group in groups)
            {
                TestContext.Current.SendDiagnosticMessage($"{group.Name}: {total} records, {group.Progress.Read.Values.Sum() - group.Progress.Read.Count} read again");
                Assert.Empty(group.Progress.ReadAgain);
                if (client == "kcat") // it does not tell what it commits, which is all it has printed, before it gives a partition up
                    Assert.DoesNotContain(group.Progress.Read, record => record.Value > 1);
            }
        }
        finally
        {
            await producing.CancelAsync();
            foreach (var group in groups)
                await group.DisposeAsync();
            await load;
        }
    }

    private sealed class Group(string client, string assignor, string bootstrapServers) : IAsyncDisposable
    {
        private readonly List<ForeignGroupMember> _members = [];
        private int _left;

        public string Name { get; } = $"{client} {assignor}";

        public GroupProgress Progress { get; } = new();

        public async Task GrowAndShrinkAsync()
        {
            for (var count = 1; count <= 3; count++)
            {
                _members.Add(new(client, assignor, bootstrapServers, Name, Progress));
                await UntilAsync(() => _members.All(member => member.Progress.Assigned == Partitions / count));
            }
            while (_members.Count > 1)
            {
                var leaving = _members[0];
                await leaving.LeaveAsync();
                _left++;
                _members.Remove(leaving);
                await leaving.DisposeAsync();
                await UntilAsync(() => _members.All(member => member.Progress.Assigned == Partitions / _members.Count));
            }
        }

        /// <summary>Waits until all that was produced is read.</summary>
        public async Task EndAsync(int produced)
        {
            // told to end, kcat drops the record that comes next without printing it, and commits it all the same
            var dropped = client == "kcat" ? _left : 0;
            await UntilAsync(() => Progress.Read.Count >= produced - dropped);
            await _members[0].LeaveAsync();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var member in _members)
                await member.DisposeAsync();
        }

        private Task UntilAsync(Func<bool> condition) => Load.UntilAsync(condition,
            () => $"{Name}: {string.Join(", ", _members.Select(member => member.Progress.Assigned))} partitions, {Progress.Read.Count} records read, not {Missing()}");

        /// <summary>The first gaps in what was read.</summary>
        private string Missing() => string.Join(", ", Progress.Read.Keys.GroupBy(record => record.Partition, record => record.Offset)
            .SelectMany(read => Enumerable.Range(0, (int)read.Max()).Select(offset => (long)offset).Except(read).Select(offset => $"{read.Key}/{offset}")).Take(10));
    }
}
