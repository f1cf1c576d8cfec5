using System.Net.Http.Headers;
using System.Text.Json;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.RebuildingFeed;

/// <summary>What tests of rebuilds ask the service and its database.</summary>
internal static class Rebuilds
{
    /// <summary>Everything in the feed's tables but the order in which rows came.</summary>
    public const string Content = """
        SELECT (SELECT count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws('|', event_id, type, topic, partition, record_offset, key, source, subject, at, causation_id, trace_parent, trace_id, data, malformed), 0)::numeric), 0) FROM events)
          || ' ' || (SELECT count(*) || ' ' || coalesce(sum(hashtextextended(order_id || shopper_id, 0)::numeric), 0) FROM orders) || ' ' || (SELECT count(*) || ' ' || coalesce(sum(hashtextextended(order_id || sku, 0)::numeric), 0) FROM ordered_skus)
        """;

    public const string Begin = """
        WITH begun AS (INSERT INTO rebuilds (id, "from", state, events, "of", requested_at, filling_seconds, cancel_requested)
          VALUES (gen_random_uuid(), 'beginning', 'waiting', 0, 0, now(), 0, false) RETURNING 1) SELECT count(*)::text FROM begun
        """;

    /// <summary>Creates the shop's topics, those excepted that the service has made.</summary>
    public static Task CreateTopicsAsync(RunningBroker broker) => KafkaTopics.CreateAsync(broker.BootstrapServers,
        [.. Topics.All.Select(topic => new TopicSpecification { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = -1 })]);

    /// <summary>Waits until the feed is where the topics end now.</summary>
    /// <returns>How many events it has then.</returns>
    public static async Task<long> FeedIsThereAsync(string kafka, string database)
    {
        var ends = Ends(kafka);
        await Eventually.BecomesTrueAsync(async () =>
        {
            var reached = (await ReadAsync(database, "SELECT coalesce(string_agg(topic || '/' || partition || '/' || next_offset, ' '), '') FROM consumer_offsets WHERE endpoint = 'activity.feed'"))
                .Split(' ').Select(row => row.Split('/')).Where(row => row.Length == 3).ToDictionary(row => (row[0], int.Parse(row[1])), row => long.Parse(row[2]));
            return ends.All(end => reached.GetValueOrDefault(end.Key) >= end.Value);
        });
        return long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events"));
    }

    /// <summary>A time that no record has that was written before: Kafka's timestamps are whole milliseconds.</summary>
    public static async Task<DateTimeOffset> NextMillisecondAsync()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() > now));
        return DateTimeOffset.FromUnixTimeMilliseconds(now + 1);
    }

    private static Dictionary<(string Topic, int Partition), long> Ends(string kafka)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "ends" }).Build();
        return Topics.Lasting.SelectMany(topic => Enumerable.Range(0, topic.Partitions).Select(partition => (Topic: topic.Name, Partition: partition)))
            .Select(partition => (Key: partition, End: consumer.QueryWatermarkOffsets(new(partition.Topic, partition.Partition), TimeSpan.FromSeconds(30)).High.Value))
            .Where(partition => partition.End > 0).ToDictionary(partition => partition.Key, partition => partition.End);
    }

    public static async Task<string> ReadAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        try
        {
            return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) ?? "";
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return "0 0";
        }
    }

    public static Task<JsonElement> ProgressAsync(RunningActivity shop) => shop.ReadAsync("/api/ops/activity/rebuild");

    public static async Task<HttpResponseMessage> SendAsync(RunningActivity shop, HttpMethod method, string? body)
    {
        using var request = new HttpRequestMessage(method, "/api/ops/activity/rebuild");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.Operator());
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await shop.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
