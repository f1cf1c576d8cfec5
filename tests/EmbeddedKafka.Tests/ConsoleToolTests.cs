using System.Text.RegularExpressions;

namespace Shop.KafkaBroker.Tests;

/// <summary>What Apache Kafka 4.3's console tools print; the expected lines are what they print against Apache Kafka 4.3.</summary>
public sealed partial class ConsoleToolTests
{
    private const string Topics = "org.apache.kafka.tools.TopicCommand";
    private const string Groups = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

    [Long]
    [Fact]
    public async Task They_print_what_they_print_against_Apache_Kafka()
    {
        await ForeignClients.RequireAsync("Apache Kafka's console tools");
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var bootstrap = kafka.BootstrapServers;

        Assert.Equal(["Created topic events."],
            await RunAsync(Topics, "--create", "--topic", "events", "--partitions", "2", "--config", "retention.ms=100000000"));
        using (var producer = Clients.Producer(bootstrap))
        {
            for (var i = 0; i < 9; i++)
                await producer.ProduceAsync(new Confluent.Kafka.TopicPartition("events", i % 2), new() { Value = $"{i}" }, TestContext.Current.CancellationToken);
        }
        using (var consumer = Clients.Consumer(bootstrap, "readers"))
            consumer.Commit([new("events", 0, 2), new("events", 1, 4)]);
        var runs = await Task.WhenAll(
            RunAsync(Topics, "--describe", "--topic", "events"),
            RunAsync("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", "events", "--describe"),
            RunAsync("org.apache.kafka.tools.GetOffsetShell", "--topic", "events", "--time", "-1"),
            RunAsync(Groups, "--list", "--state"),
            RunAsync(Groups, "--describe", "--group", "readers"));

        Assert.Equal(
        [
            "Topic: events TopicId: ID PartitionCount: 2 ReplicationFactor: 1 Configs: min.insync.replicas=1,retention.ms=100000000",
            "Topic: events Partition: 0 Leader: 1 Replicas: 1 Isr: 1 Elr: LastKnownElr:",
            "Topic: events Partition: 1 Leader: 1 Replicas: 1 Isr: 1 Elr: LastKnownElr:",
        ], runs[0].Select(line => Identity().Replace(line, "TopicId: ID")));
        Assert.Equal(["Dynamic configs for topic events are:", "retention.ms=100000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=100000000}"], runs[1]);
        Assert.Equal(["events:0:5", "events:1:4"], runs[2]);
        Assert.Equal(["GROUP STATE", "readers Empty"], runs[3]);
        Assert.Equal(
        [
            "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID",
            "readers events 0 2 5 3 - - -",
            "readers events 1 4 4 0 - - -",
        ], runs[4].Where(line => line.StartsWith("GROUP", StringComparison.Ordinal)).Concat(runs[4].Where(line => line.StartsWith("readers", StringComparison.Ordinal)).Order()));

        var changes = await RunAsync(Groups, "--reset-offsets", "--group", "readers", "--topic", "events", "--to-earliest", "--execute");
        Assert.Equal(["GROUP TOPIC PARTITION NEW-OFFSET", "readers events 0 0", "readers events 1 0"], changes.Order());

        Task<List<string>> RunAsync(string tool, params string[] arguments) => RunAsyncOn(bootstrap, tool, arguments);
    }

    [Long]
    [Fact]
    public async Task The_verifiable_consumer_has_all_that_the_verifiable_producer_sent()
    {
        await ForeignClients.RequireAsync("Apache Kafka's console tools");
        await using var kafka = await EmbeddedKafka.StartAsync(new() { DefaultPartitions = 3 }, TestContext.Current.CancellationToken);
        await using var consumer = ClientProcess.Start("java", ForeignClients.Java("org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server", kafka.BootstrapServers,
            "--topic", "events", "--group-id", "verifiable", "--max-messages", "2000", "--reset-policy", "earliest"));
        var produced = await ClientProcess.RunAsync("java", ForeignClients.Java("org.apache.kafka.tools.VerifiableProducer", "--bootstrap-server", kafka.BootstrapServers,
            "--topic", "events", "--max-messages", "2000"));
        var consumed = await consumer.EndAsync();

        Assert.Contains(produced, line => line.Contains("\"acked\":2000", StringComparison.Ordinal));
        Assert.Equal(2000, consumed.Where(line => line.Contains("records_consumed", StringComparison.Ordinal)).Sum(line => int.Parse(ConsumedCount().Match(line).Groups[1].Value)));
    }

    /// <summary>Runs a tool; its lines with the columns' padding taken out, without what it logs.</summary>
    private static async Task<List<string>> RunAsyncOn(string bootstrapServers, string tool, params string[] arguments) =>
        [.. (await ForeignClients.RunJavaAsync(tool, ["--bootstrap-server", bootstrapServers, .. arguments]))
            .Select(line => Padding().Replace(line, " ").Trim()).Where(line => line.Length > 0 && !line.StartsWith('[') && !line.Contains("SLF4J", StringComparison.Ordinal))];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Padding();

    [GeneratedRegex("TopicId: [A-Za-z0-9_-]{22}")]
    private static partial Regex Identity();

    [GeneratedRegex(@"""count"":(\d+)")]
    private static partial Regex ConsumedCount();
}
