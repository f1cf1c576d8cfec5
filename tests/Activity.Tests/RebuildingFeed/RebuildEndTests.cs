using System.Net;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Messaging.Streams;
using Shop.Testing;
using static Shop.Activity.Tests.RebuildingFeed.Rebuilds;

namespace Shop.Activity.Tests.RebuildingFeed;

/// <summary>The end of a rebuild: nothing is lost or twice, nobody waits, and whatever stands in its way it can be cancelled.</summary>
public sealed class RebuildEndTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Fact]
    public async Task What_one_reading_has_seen_of_an_end_says_nothing_about_the_next()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, await shops.CreateDatabaseAsync());
        using var kafka = new KafkaWriter(broker.BootstrapServers);
        await kafka.PublishAsync(new StockRanLow("mug-blue", 1));
        using var reader = shop.Services.GetRequiredService<LogReaders>().Open();
        var partition = reader.PartitionsOf([Topics.Stock]).Single(partition => partition.End > 0);
        (string, int) key = (partition.Topic.Name, partition.Partition);
        await foreach (var batch in reader.ReadAsync([(key.Item1, key.Item2, 0)], TestContext.Current.CancellationToken))
        {
            if (batch.Count == 0 && reader.IsPassed(key, 1))
                break;
        }

        // nobody answers: nothing is read, and nothing is passed
        await broker.DisposeAsync();
        await foreach (var batch in reader.ReadAsync([(key.Item1, key.Item2, 0)], TestContext.Current.CancellationToken))
        {
            Assert.Empty(batch);
            Assert.False(reader.IsPassed(key, 1));
            break;
        }
    }

    [Long]
    [Fact]
    public async Task One_that_cannot_get_to_where_the_feed_is_never_ends_as_done_and_is_cancelled()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await StartAsync(broker, database, seed: 11);
        var content = await ReadAsync(database, Content);
        // events that the topics do not have (any more)
        await ReadAsync(database, "WITH ahead AS (UPDATE consumer_offsets SET next_offset = next_offset + 10 WHERE endpoint = 'activity.feed' AND topic = 'orders' RETURNING 1) SELECT count(*)::text FROM ahead");

        using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("swapping", () => StateAsync(database));
        await Eventually.BecomesAsync("catchingUp", () => StateAsync(database));
        using (var cancelled = await SendAsync(shop, HttpMethod.Delete, null))
            Assert.Equal(HttpStatusCode.Accepted, cancelled.StatusCode);
        await Eventually.BecomesAsync("cancelled", () => StateAsync(database));
        Assert.Equal("0 0", await ReadAsync(database, "SELECT (SELECT count(*) FROM pg_tables WHERE tablename LIKE 'shadow%') || ' ' || (SELECT count(*) FROM rebuild_positions)"));
        Assert.Equal(content, await ReadAsync(database, Content));
    }

    [Long]
    [Fact]
    public async Task Whoever_reads_the_old_tables_for_long_holds_up_the_end_and_nothing_else()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await StartAsync(broker, database, seed: 12);
        using var kafka = new KafkaWriter(broker.BootstrapServers);
        await using var source = NpgsqlDataSource.Create(database);
        await using var reading = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (await reading.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var read = new NpgsqlCommand("SELECT count(*) FROM events", reading);
            await read.ExecuteScalarAsync(TestContext.Current.CancellationToken);
            using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}"""))
                Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
            await Eventually.BecomesAsync("swapping", () => StateAsync(database));
            for (var i = 0; i < 3; i++)
            {
                var id = await kafka.PublishAsync(new StockRanLow("mug-blue", i));
                await Eventually.BecomesAsync("1", () => ReadAsync(database, $"SELECT count(*)::text FROM events WHERE event_id = '{id}'"));
            }
            Assert.NotEqual("done", await StateAsync(database));
        }
        await Eventually.BecomesAsync("done", () => StateAsync(database));
        Assert.Equal("3", await ReadAsync(database, "SELECT count(*)::text FROM events WHERE topic = 'stock'"));
        Assert.Equal("t", await ReadAsync(database, "SELECT CASE WHEN bool_and(reltuples > 0) THEN 't' ELSE 'f' END FROM pg_class WHERE oid = ANY(ARRAY['events', 'orders', 'ordered_skus']::regclass[])"));
    }

    [Long]
    [Fact]
    public async Task Dead_letters_and_parked_records_that_the_new_tables_have_are_ended()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await StartAsync(broker, database, seed: 13);
        // an order's first event failed, and its others wait behind it; another letter is about what is no event
        await ReadAsync(database, """
            WITH chosen AS (SELECT key FROM events WHERE topic = 'orders' GROUP BY key HAVING count(DISTINCT record_offset) > 1 LIMIT 1),
            gone AS (DELETE FROM events WHERE key = (SELECT key FROM chosen) RETURNING *),
            letter AS (INSERT INTO dead_letters (id, endpoint, topic, partition, record_offset, key, event_id, headers, error_type, error_message, stack_trace, failed_at, status)
              SELECT gen_random_uuid(), 'activity.feed', topic, partition, record_offset, key, event_id, '[]', '', '', '', now(), 'parked' FROM gone ORDER BY record_offset LIMIT 1),
            odd AS (INSERT INTO dead_letters (id, endpoint, topic, partition, record_offset, key, headers, error_type, error_message, stack_trace, failed_at, status)
              VALUES (gen_random_uuid(), 'activity.feed', 'orders', 0, 1000000, 'odd', '[]', '', '', '', now(), 'parked'),
                (gen_random_uuid(), 'activity.windows', 'orders', 0, 0, 'other', '[]', '', '', '', now(), 'parked')),
            parked AS (INSERT INTO parked_records (endpoint, topic, partition, record_offset, key, headers, parked_at)
              SELECT 'activity.feed', topic, partition, record_offset, key, '[]', now() FROM gone ORDER BY record_offset OFFSET 1 RETURNING 1)
            SELECT count(*)::text FROM parked
            """);
        Assert.NotEqual("0", await ReadAsync(database, "SELECT count(*)::text FROM parked_records"));

        using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", () => StateAsync(database));
        Assert.Equal("feed parked, feed redriven, windows parked; 0", await ReadAsync(database, """
            SELECT string_agg(split_part(endpoint, '.', 2) || ' ' || status, ', ' ORDER BY endpoint, status) || '; ' || (SELECT count(*) FROM parked_records) FROM dead_letters
            """));
        Assert.Equal("odd", await ReadAsync(database, "SELECT key FROM dead_letters WHERE status = 'parked' AND endpoint = 'activity.feed'"));
    }

    [Long]
    [Fact]
    public async Task What_was_before_the_time_and_is_redriven_meanwhile_is_kept_and_once()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await StartAsync(broker, database, seed: 15);
        using var kafka = new KafkaWriter(broker.BootstrapServers);
        var (repeated, at) = (new StockRanLow("mug-again", 1), DateTimeOffset.UtcNow);
        var id = await kafka.PublishAsync(repeated, at: at);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var older = await ReadAsync(database, "SELECT max(position)::text FROM events");
        var since = await NextMillisecondAsync();
        using (var load = new TopicLoad(broker.BootstrapServers, seed: 16))
            await load.WriteAsync(50);
        await kafka.PublishAsync(repeated, at: at, id: id);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var right = await ReadAsync(database, Content);
        // an order's first event failed, and its others wait behind it; so did an event that was written again after the time
        var order = await ReadAsync(database, $"SELECT key FROM events WHERE topic = 'orders' AND position <= {older} GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT 1");
        string[] letters = [await FailAsync(database, "orders", order), await FailAsync(database, "stock", repeated.Sku)];
        Assert.NotEqual(right, await ReadAsync(database, Content));

        await using var source = NpgsqlDataSource.Create(database);
        await using var reading = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (await reading.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            // who reads the old tables holds up the end
            await using var read = new NpgsqlCommand("SELECT count(*) FROM events", reading);
            await read.ExecuteScalarAsync(TestContext.Current.CancellationToken);
            using (var begun = await SendAsync(shop, HttpMethod.Post, $$"""{"from":"{{since:O}}"}"""))
                Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
            await Eventually.BecomesAsync("swapping", () => StateAsync(database));
            foreach (var letter in letters)
                Assert.Equal(HttpStatusCode.NoContent, await RedriveAsync(shop, letter));
        }
        await Eventually.BecomesAsync("done", () => StateAsync(database));
        Assert.Equal(right, await ReadAsync(database, Content));
        Assert.Equal("0", await ReadAsync(database, "SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'shadow%'"));
    }

    [Fact]
    public async Task What_was_before_the_time_and_came_again_after_it_is_there_once_also_when_it_is_redriven_afterwards()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await StartAsync(broker, database, seed: 17);
        using var kafka = new KafkaWriter(broker.BootstrapServers);
        // of a key that the index of keys has, and of one that it has not
        string[] skus = ["mug-again", new('m', 200)];
        var at = DateTimeOffset.UtcNow;
        var written = new List<(Guid Id, StockRanLow Event)>();
        foreach (var ranLow in skus.SelectMany(sku => Enumerable.Range(1, 3).Select(available => new StockRanLow(sku, available))))
            written.Add((await kafka.PublishAsync(ranLow, at: at), ranLow));
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var since = await NextMillisecondAsync();
        // the last of each does not come again
        foreach (var (id, ranLow) in written.Where(each => each.Event.Available < 3))
            await kafka.PublishAsync(ranLow, at: at, id: id);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        string[] letters = [await FailAsync(database, "stock", skus[0]), await FailAsync(database, "stock", skus[1])];
        Assert.Equal("4", await ReadAsync(database, "SELECT count(*)::text FROM parked_records"));

        using (var begun = await SendAsync(shop, HttpMethod.Post, $$"""{"from":"{{since:O}}"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", () => StateAsync(database));
        // what did not come again waits on
        Assert.Equal("redriving redriving 2", await ReadAsync(database, "SELECT string_agg(status, ' ') || ' ' || (SELECT count(*) FROM parked_records) FROM dead_letters"));
        foreach (var letter in letters)
            Assert.Equal(HttpStatusCode.NoContent, await RedriveAsync(shop, letter));
        Assert.Equal("6 6", await ReadAsync(database, "SELECT count(*) || ' ' || count(DISTINCT event_id) FROM events WHERE topic = 'stock'"));
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task What_the_topics_have_lost_up_to_their_end_is_waited_for_by_nobody(Broker kind)
    {
        Assert.SkipWhen(kind == Broker.Embedded, "EmbeddedKafka deletes no records on request");
        await using var broker = await RunningBroker.StartAsync(kind);
        using var folder = new TemporaryFolder();
        var database = await shops.CreateDatabaseAsync();
        // nothing is archived
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database, ("Warehouse:Directory", folder.Path), ("Warehouse:MaxAge", "1.00:00:00"));
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 14);
        await load.WriteAsync(2_000);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.DeleteRecordsAsync(Enumerable.Range(0, Topics.Orders.Partitions).Select(partition => new TopicPartitionOffset(Topics.Orders.Name, partition, Offset.End)));

        using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"archive"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", () => StateAsync(database), TimeSpan.FromMinutes(15));
        Assert.Equal("0", await ReadAsync(database, "SELECT count(*)::text FROM events WHERE topic = 'orders'"));
    }

    private static async Task<RunningActivity> StartAsync(RunningBroker broker, string database, int seed)
    {
        var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed);
        await load.WriteAsync(200);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        return shop;
    }

    /// <summary>Makes it so that the first event of a key failed, and its others wait behind it: written by somebody who has ids of their own, of which the last one counts.</summary>
    /// <returns>The dead letter's id.</returns>
    private static Task<string> FailAsync(string database, string topic, string key) => ReadAsync(database, $$"""
        WITH owners AS (DELETE FROM orders WHERE order_id::text = '{{key}}'),
        skus AS (DELETE FROM ordered_skus WHERE order_id::text = '{{key}}'),
        gone AS (DELETE FROM events WHERE topic = '{{topic}}' AND key = '{{key}}' RETURNING *),
        records AS (SELECT topic, partition, record_offset, key, event_id, convert_to(data::text, 'UTF8') AS body,
            (SELECT jsonb_agg(jsonb_build_object('name', name, 'value', encode(convert_to(value, 'UTF8'), 'base64')))
              FROM (VALUES ('ce_id', gen_random_uuid()::text), ('ce_id', upper(event_id::text)), ('ce_type', type), ('ce_source', source), ('ce_time', to_char(timezone('UTC', gone.at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))) AS header(name, value)) AS headers
          FROM gone),
        parked AS (INSERT INTO parked_records (endpoint, topic, partition, record_offset, key, headers, body, parked_at)
          SELECT 'activity.feed', topic, partition, record_offset, key, headers, body, now() FROM records ORDER BY record_offset OFFSET 1),
        letter AS (INSERT INTO dead_letters (id, endpoint, topic, partition, record_offset, key, event_id, headers, body, error_type, error_message, stack_trace, failed_at, status)
          SELECT gen_random_uuid(), 'activity.feed', topic, partition, record_offset, key, event_id, headers, body, '', '', '', now(), 'parked' FROM records ORDER BY record_offset LIMIT 1 RETURNING id)
        SELECT id::text FROM letter
        """);

    private static async Task<HttpStatusCode> RedriveAsync(RunningActivity shop, string letter)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/ops/activity/dead-letters/{letter}/redrive");
        request.Headers.Authorization = new("Bearer", TestTokens.Operator());
        using var redriven = await shop.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return redriven.StatusCode;
    }

    private static Task<string> StateAsync(string database) => ReadAsync(database, "SELECT state FROM rebuilds");
}
