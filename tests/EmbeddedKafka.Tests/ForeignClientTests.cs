namespace Shop.KafkaBroker.Tests;

/// <summary>What one client library writes, every other one reads; and they share a group.</summary>
public sealed class ForeignClientTests(WrittenTopics written) : IClassFixture<WrittenTopics>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Confluent.Kafka")]
    [InlineData("kcat")]
    [InlineData("kafka-python")]
    [InlineData("KafkaJS")]
    [InlineData("Apache Kafka's console tools")]
    public async Task A_client_reads_what_every_client_wrote_with_every_codec(string name)
    {
        var reader = ForeignClients.All.Single(client => client.Name == name);
        var missing = await reader.MissingAsync();
        Assert.SkipWhen(missing is not null, missing ?? "");
        var codecs = await reader.CodecsAsync();
        var topics = written.Topics.Where(topic => codecs.Contains(topic.Codec)).Select(topic => topic.Name).ToList();
        TestContext.Current.SendDiagnosticMessage($"{name} reads {string.Join(", ", topics)}");

        var lines = (await reader.ReadAsync(written.BootstrapServers, topics, topics.Count * WrittenTopics.Count))
            .Where(line => line.Contains(" key-", StringComparison.Ordinal)).ToList();

        Assert.Equal(topics.Count * WrittenTopics.Count, lines.Count);
        foreach (var (key, value) in WrittenTopics.Records)
            Assert.Equal(topics.Count, lines.Count(line => line.EndsWith($" {key} {value}", StringComparison.Ordinal)));
        var lacking = ForeignClients.AllCodecs.Except(codecs).ToList();
        Assert.SkipWhen(lacking.Count > 0, $"all but {string.Join(", ", lacking)}, which {name} needs libraries for (Debian: python3-snappy, python3-lz4, python3-zstandard)");
    }

    [Fact]
    public async Task Different_libraries_share_a_group()
    {
        await ForeignClients.RequireAsync("kcat");
        await ForeignClients.RequireAsync("kafka-python");
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await Clients.CreateTopicAsync(kafka.BootstrapServers, "shared", 6);
        await using var python = ClientProcess.Start(ForeignClients.Python, ForeignClients.PythonClient, kafka.BootstrapServers, "consume", "mixed", "1000000", "shared");
        await using var kcat = ClientProcess.Start("kcat", "-b", kafka.BootstrapServers, "-u", "-q", "-X", "partition.assignment.strategy=range",
            "-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=500", "-f", "%t %k %s\\n", "-G", "mixed", "shared");
        using var consumer = Clients.Consumer(kafka.BootstrapServers, "mixed", config => config.PartitionAssignmentStrategy = Confluent.Kafka.PartitionAssignmentStrategy.Range);
        consumer.Subscribe("shared");
        var own = new HashSet<string>();
        var produced = 0;
        using var producer = Clients.Producer(kafka.BootstrapServers);

        // every member has a share when each reads something of what is produced once the group has settled
        bool EveryoneReads() => own.Count > 0 && python.Lines.Any(line => line.StartsWith("shared ", StringComparison.Ordinal)) && kcat.Lines.Count > 0;
        HashSet<string> Seen() => [.. own, .. python.Lines.Concat(kcat.Lines).Where(line => line.StartsWith("shared ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1])];
        for (var deadline = DateTime.UtcNow + Eventually.DefaultDeadline; !(EveryoneReads() && Seen().Count == produced) && DateTime.UtcNow < deadline;)
        {
            if (!EveryoneReads())
                producer.Produce(new Confluent.Kafka.TopicPartition("shared", produced % 6), new() { Key = $"key-{produced++}", Value = "value" });
            if (consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } record)
                own.Add(record.Message.Key);
        }
        producer.Flush(Cancelled);

        Assert.True(EveryoneReads(), $"own: {own.Count}, kafka-python: {python.Lines.Count}, kcat: {kcat.Lines.Count}");
        Assert.Equal(produced, Seen().Count);
        await python.TerminateAsync();
        await kcat.TerminateAsync();
        for (var deadline = DateTime.UtcNow + Eventually.DefaultDeadline; consumer.Assignment.Count < 6 && DateTime.UtcNow < deadline;)
            consumer.Consume(TimeSpan.FromMilliseconds(50));
        Assert.Equal(6, consumer.Assignment.Count);
        consumer.Close();
    }
}
