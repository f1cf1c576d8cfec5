
namespace Shop.KafkaBroker.Tests;

/// <summary>What Apache Kafka refuses is refused, with the same error; and what is acknowledged can be read.</summary>
public sealed class ProduceValidationTests
{
    private const string Topic = "events";
    private const string Compacted = "catalog";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact]
    public async Task Each_kind_of_damage_is_answered_with_its_error()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await CreateTopicsAsync(kafka.BootstrapServers);
        await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);

        Assert.Equal(Expected(batch => batch.Ours ?? batch.Error), await ProduceAsync(client));
    }

    [Long]
    [Fact]
    public async Task Apache_Kafka_answers_the_same()
    {
        Assert.SkipWhen(ApacheKafka.Home is null, "KAFKA_HOME is not set");
        await using var kafka = await ApacheKafka.StartAsync(ApacheKafka.Home!, cancellationToken: Cancelled);
        await CreateTopicsAsync(kafka.BootstrapServers);
        await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);

        Assert.Equal(Expected(batch => batch.Error), await ProduceAsync(client));
    }

    [Long]
    [Fact]
    public async Task Whatever_bit_is_damaged_and_wherever_a_batch_is_cut_both_brokers_agree()
    {
        Assert.SkipWhen(ApacheKafka.Home is null, "KAFKA_HOME is not set");
        await using var apacheKafka = await ApacheKafka.StartAsync(ApacheKafka.Home!, cancellationToken: Cancelled);
        await using var embeddedKafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await CreateTopicsAsync(apacheKafka.BootstrapServers);
        await CreateTopicsAsync(embeddedKafka.BootstrapServers);
        await using var apache = await WireClient.ConnectAsync(apacheKafka.BootstrapServers);
        await using var embedded = await WireClient.ConnectAsync(embeddedKafka.BootstrapServers);
        var different = new List<string>();
        var (refused, stricter) = (0, 0);
        foreach (var batch in HostileBatches.Damaged(Now))
        {
            var theirs = (await apache.ProduceAsync(Topic, batch.Bytes)).Error;
            var ours = (await embedded.ProduceAsync(Topic, batch.Bytes)).Error;
            refused += theirs == ErrorCode.None ? 0 : 1;
            stricter += theirs == ErrorCode.None && ours != ErrorCode.None ? 1 : 0;
            // a decompressor may see damage where another sees records that are none
            var agree = ours == theirs || (IsUnreadable(ours) && (theirs == ErrorCode.None || (batch.Name.StartsWith("in ", StringComparison.Ordinal) && IsUnreadable(theirs))));
            if (!agree)
                different.Add($"{batch.Name}: {theirs}, here {ours}");
        }

        Assert.Empty(different);
        Assert.InRange(refused, 2000, int.MaxValue);
        Assert.InRange(stricter, 1, 150); // offsets and lengths of records that Apache Kafka does not look at
    }

    [Fact]
    public async Task What_is_acknowledged_every_client_can_read()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await CreateTopicsAsync(kafka.BootstrapServers);
        await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
        var acknowledged = new List<string>();
        foreach (var batch in HostileBatches.All(Now).Concat(HostileBatches.Damaged(Now)))
        {
            if ((await client.ProduceAsync(Topic, batch.Bytes)).Error == ErrorCode.None)
                acknowledged.AddRange(Enumerable.Repeat(batch.Name, RecordBatch.Count(batch.Bytes)));
        }
        var read = Clients.ReadAll(kafka.BootstrapServers, Topic, acknowledged.Count);

        Assert.True(acknowledged.Count > 100 && read.Count == acknowledged.Count, $"nothing is read from '{acknowledged.ElementAtOrDefault(read.Count)}' on");
        Assert.Equal(Enumerable.Range(0, read.Count).Select(offset => (long)offset), read.Select(record => record.Offset.Value));
        Assert.All(read, record => Assert.True(record.Message.Timestamp.UnixTimestampMs <= Now + 3_600_000));
    }

    [Fact]
    public async Task Zstandard_is_not_for_producers_older_than_it()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(cancellationToken: Cancelled);
        await CreateTopicsAsync(kafka.BootstrapServers);
        await using var client = await WireClient.ConnectAsync(kafka.BootstrapServers);
        var batch = HostileBatches.All(Now).Single(batch => batch.Name == "zstd: one record").Bytes;

        Assert.Equal(ErrorCode.UnsupportedCompressionType, (await client.ProduceAsync(Topic, batch, version: 6)).Error);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync(Topic, batch, version: 7)).Error);
    }

    private static bool IsUnreadable(ErrorCode error) => error is ErrorCode.InvalidRecord or ErrorCode.UnknownServerError;

    private static IEnumerable<string> Expected(Func<HostileBatch, ErrorCode> error) =>
        HostileBatches.All(Now).Concat(HostileBatches.ForCompactedTopics(Now)).Select(batch => $"{batch.Name}: {error(batch)}");

    private static async Task<List<string>> ProduceAsync(WireClient client)
    {
        var answers = new List<string>();
        foreach (var batch in HostileBatches.All(Now))
            answers.Add($"{batch.Name}: {(await client.ProduceAsync(Topic, batch.Bytes)).Error}");
        foreach (var batch in HostileBatches.ForCompactedTopics(Now))
            answers.Add($"{batch.Name}: {(await client.ProduceAsync(Compacted, batch.Bytes)).Error}");
        return answers;
    }

    private static async Task CreateTopicsAsync(string bootstrapServers)
    {
        await Clients.CreateTopicAsync(bootstrapServers, Topic, configs: new() { ["retention.ms"] = "-1" });
        await Clients.CreateTopicAsync(bootstrapServers, Compacted, configs: new() { ["cleanup.policy"] = "compact" });
    }
}
