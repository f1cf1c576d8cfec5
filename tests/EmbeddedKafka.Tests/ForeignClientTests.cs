namespace Shop.KafkaBroker.Tests;

/// <summary>What one client library writes, every other one reads; and they share a group.</summary>
public sealed class ForeignClientTests
{
    private const int Count = 50;

    private static readonly string[] AllCodecs = ["none", "gzip", "snappy", "lz4", "zstd"];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kcat_reads_and_is_read()
    {
        ForeignClients.RequireKcat();
        await CrossAsync("kcat", AllCodecs, (bootstrap, topics) => Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("kcat",
                ["-P", "-b", bootstrap, "-t", topic.Topic, "-K", ":", "-z", topic.Codec, "-X", "enable.idempotence=true"], Lines(':')))),
            async (bootstrap, topics) => (await Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("kcat",
                ["-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%t %k %s\\n"])))).SelectMany(lines => lines));
    }

    [Fact]
    public async Task Kafka_python_reads_and_is_read()
    {
        ForeignClients.RequirePython();
        var codecs = (await ClientProcess.RunAsync(ForeignClients.Python, [ForeignClients.PythonClient, "-", "codecs"]))[0].Split(' ');
        await CrossAsync("python", codecs, (bootstrap, topics) => ClientProcess.RunAsync(ForeignClients.Python,
                [ForeignClients.PythonClient, bootstrap, "produce", $"{Count}", .. topics.Select(topic => $"{topic.Topic}={topic.Codec}")]),
            async (bootstrap, topics) => await ClientProcess.RunAsync(ForeignClients.Python,
                [ForeignClients.PythonClient, bootstrap, "consume", "python", $"{topics.Count * Count}", .. topics]));
    }

    [Fact]
    public async Task KafkaJs_reads_and_is_read()
    {
        await ForeignClients.RequireKafkaJsAsync();
        var script = Path.Combine(ForeignClients.Directory, "kafkajs.mjs");
        await CrossAsync("kafkajs", ["none", "gzip"], (bootstrap, topics) => ClientProcess.RunAsync("node",
                [script, bootstrap, "produce", $"{Count}", .. topics.Select(topic => $"{topic.Topic}={topic.Codec}")]),
            async (bootstrap, topics) => await ClientProcess.RunAsync("node", [script, bootstrap, "consume", "kafkajs", $"{topics.Count * Count}", .. topics]));
    }

    [Fact]
    public async Task Apache_Kafkas_console_tools_read_and_are_read()
    {
        ForeignClients.RequireJava();
        await CrossAsync("java", AllCodecs, (bootstrap, topics) => Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("java",
                ForeignClients.Java("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", bootstrap, "--topic", topic.Topic, "--compression-codec", topic.Codec,
                    "--reader-property", "parse.key=true"), Lines('\t')))),
            async (bootstrap, topics) => (await ClientProcess.RunAsync("java", ForeignClients.Java("org.apache.kafka.tools.consumer.ConsoleConsumer",
                    "--bootstrap-server", bootstrap, "--include", string.Join('|', topics), "--from-beginning", "--max-messages", $"{topics.Count * Count}",
                    "--timeout-ms", "30000", "--formatter-property", "print.key=true", "--formatter-property", "print.headers=false")))
                .Select(line => $"? {line.Replace('\t', ' ')}"));
    }

    [Fact]
    public async Task Different_libraries_share_a_group()
    {
        ForeignClients.RequireKcat();
        ForeignClients.RequirePython();
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
        for (var deadline = DateTime.UtcNow.AddSeconds(40); !(EveryoneReads() && Seen().Count == produced) && DateTime.UtcNow < deadline;)
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
        for (var deadline = DateTime.UtcNow.AddSeconds(20); consumer.Assignment.Count < 6 && DateTime.UtcNow < deadline;)
            consumer.Consume(TimeSpan.FromMilliseconds(50));
        Assert.Equal(6, consumer.Assignment.Count);
        consumer.Close();
    }

    private static string Lines(char separator) => string.Concat(Enumerable.Range(0, Count).Select(i => $"key-{i}{separator}value-{i}\n"));

    /// <summary>The client writes with each of its codecs and Confluent.Kafka reads; Confluent.Kafka writes and the client reads.</summary>
    private static async Task CrossAsync(string client, string[] codecs, Func<string, IReadOnlyList<(string Topic, string Codec)>, Task> produce,
        Func<string, IReadOnlyList<string>, Task<IEnumerable<string>>> consume)
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        var written = codecs.Select(codec => (Topic: $"{client}-{codec}", Codec: codec)).ToList();
        var expected = Enumerable.Range(0, Count).Select(i => ($"key-{i}", $"value-{i}")).ToList();
        await produce(kafka.BootstrapServers, written);
        foreach (var (topic, _) in written)
            Assert.Equal(expected, Clients.ReadAll(kafka.BootstrapServers, topic, Count).Select(record => (record.Message.Key, record.Message.Value)));

        var read = new List<string>();
        foreach (var codec in codecs)
        {
            using var producer = Clients.Producer(kafka.BootstrapServers, config =>
                config.CompressionType = Enum.Parse<Confluent.Kafka.CompressionType>(codec, ignoreCase: true));
            foreach (var (key, value) in expected)
                producer.Produce($"confluent-{codec}", new() { Key = key, Value = value });
            producer.Flush(Cancelled);
            read.Add($"confluent-{codec}");
        }
        var lines = (await consume(kafka.BootstrapServers, read)).Where(line => line.Contains(" key-", StringComparison.Ordinal)).ToList();

        Assert.Equal(codecs.Length * Count, lines.Count);
        foreach (var (key, value) in expected)
            Assert.Equal(codecs.Length, lines.Count(line => line.EndsWith($" {key} {value}", StringComparison.Ordinal)));
    }
}
