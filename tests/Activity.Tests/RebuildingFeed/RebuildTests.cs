using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Confluent.Kafka;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.AppHost.Running;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Activity.Tests.RebuildingFeed.Rebuilds;

namespace Shop.Activity.Tests.RebuildingFeed;

/// <summary>The feed made again from its events, while it serves: each test has a broker and a database of its own.</summary>
public sealed class RebuildTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task What_a_bug_has_spoilt_is_as_it_should_be_and_nobody_saw_anything_else(Broker kind)
    {
        await using var broker = await RunningBroker.StartAsync(kind);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 4);
        await CreateTopicsAsync(broker);
        await load.WriteAsync(2_000);
        var stored = await FeedIsThereAsync(broker.BootstrapServers, database);
        var (right, schema) = (await ReadAsync(database, Content), await PostgresDump.SchemaAsync(database));
        await ReadAsync(database, "WITH spoilt AS (UPDATE events SET type = 'spoilt' WHERE position % 10 = 0 RETURNING 1) SELECT count(*)::text FROM spoilt");
        await ReadAsync(database, "WITH gone AS (DELETE FROM events WHERE position % 10 = 1 RETURNING 1) SELECT count(*)::text FROM gone");
        await ReadAsync(database, "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*)::text FROM gone");
        var spoilt = long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events"));
        Assert.NotEqual(right, await ReadAsync(database, Content));

        using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        var (ended, least) = (false, long.MaxValue);
        while (!ended)
        {
            least = Math.Min(least, long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events")));
            Assert.Equal(10, (await shop.FeedAsync("?limit=10")).GetProperty("items").GetArrayLength());
            ended = (await ProgressAsync(shop)).GetProperty("state").GetString() == "done";
        }
        Assert.True(least >= spoilt, $"{least} of {spoilt} rows were seen");
        Assert.Equal(right, await ReadAsync(database, Content));
        Assert.Equal(schema, await PostgresDump.SchemaAsync(database));
        var progress = await ProgressAsync(shop);
        var written = long.Parse(await ReadAsync(database, "SELECT sum(next_offset)::text FROM consumer_offsets WHERE endpoint = 'activity.feed'"));
        Assert.Equal((written, written), (progress.GetProperty("events").GetInt64(), progress.GetProperty("of").GetInt64()));
        var tables = progress.GetProperty("differences").EnumerateArray().Where(d => d.TryGetProperty("table", out _)).Select(d => d.GetRawText()).ToArray();
        Assert.Equal([$$"""{"table":"orders","onlyOld":0,"onlyNew":{{right.Split(' ')[2]}},"changed":0}"""], tables);
        var differences = progress.GetProperty("differences").EnumerateArray().Where(d => d.TryGetProperty("topic", out _)).ToArray();
        Assert.Equal((0, stored - spoilt), (differences.Sum(d => d.GetProperty("onlyOld").GetInt64()), differences.Sum(d => d.GetProperty("onlyNew").GetInt64())));
        Assert.InRange(differences.Sum(d => d.GetProperty("changed").GetInt64()), stored / 12, stored / 8);

        // and it goes on
        await load.WriteAsync(100);
        Assert.True(await FeedIsThereAsync(broker.BootstrapServers, database) > stored);
        using (var again = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}"""))
            Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        await Eventually.BecomesAsync("done", async () => (await ProgressAsync(shop)).GetProperty("state").GetString());
        Assert.Equal(0, (await ProgressAsync(shop)).GetProperty("differences").GetArrayLength());
        Assert.Equal(schema, await PostgresDump.SchemaAsync(database));
    }

    [Long]
    [Fact]
    public async Task Killed_three_times_in_the_middle_it_goes_on_and_events_of_the_meantime_are_there()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var (database, port) = (await shops.CreateDatabaseAsync(), Ports.Free());
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 5);
        // of several transactions, so that there is a middle
        for (var i = 0; i < 20; i++)
            await load.WriteAsync(1_000);
        await using (ActivityProcess.Start(database, broker.BootstrapServers, port))
            await FeedIsThereAsync(broker.BootstrapServers, database);
        await ReadAsync(database, Begin);
        var random = new Random(7);
        for (var kill = 0; kill < 3; kill++)
        {
            await using var process = ActivityProcess.Start(database, broker.BootstrapServers, port);
            const string Progress = "SELECT events || CASE WHEN ended_at IS NULL THEN ' so far' ELSE ' in all' END FROM rebuilds";
            var before = await ReadAsync(database, Progress);
            // on a machine that is faster than three kills
            if (kill > 0 && before.EndsWith("in all", StringComparison.Ordinal))
                break;
            await Eventually.BecomesTrueAsync(async () => await ReadAsync(database, Progress) != before);
            await Task.Delay(random.Next(0, 300), TestContext.Current.CancellationToken);
            await process.KillAsync();
            await load.WriteAsync(100);
        }
        await using var last = ActivityProcess.Start(database, broker.BootstrapServers, port);
        await Eventually.BecomesAsync("done", () => ReadAsync(database, "SELECT state FROM rebuilds"));
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var rebuilt = await ReadAsync(database, Content);

        // in one go, it is the same
        await ReadAsync(database, Begin);
        await Eventually.BecomesAsync("done done", () => ReadAsync(database, "SELECT string_agg(state, ' ') FROM rebuilds"));
        Assert.Equal(rebuilt, await ReadAsync(database, Content));
        Assert.Equal("[]", await ReadAsync(database, "SELECT differences::text FROM rebuilds ORDER BY requested_at DESC LIMIT 1"));
    }

    [Fact]
    public async Task One_is_under_way_at_a_time_and_a_cancelled_one_leaves_nothing()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 6);
        await load.WriteAsync(500);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var content = await ReadAsync(database, Content);
        using (var none = await SendAsync(shop, HttpMethod.Delete, null))
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal("none", (await ProgressAsync(shop)).GetProperty("state").GetString());

        // whoever holds the last step up has time to cancel
        await using var source = NpgsqlDataSource.Create(database);
        await using (var holding = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await holding.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var hold = new NpgsqlCommand("LOCK TABLE rebuild_positions IN ACCESS EXCLUSIVE MODE", holding);
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            using var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}""");
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
            using var second = await SendAsync(shop, HttpMethod.Post, """{"from":"beginning"}""");
            Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
            using var cancelled = await SendAsync(shop, HttpMethod.Delete, null);
            Assert.Equal(HttpStatusCode.Accepted, cancelled.StatusCode);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        await Eventually.BecomesAsync("cancelled", async () => (await ProgressAsync(shop)).GetProperty("state").GetString());
        Assert.Equal("0", await ReadAsync(database, "SELECT count(*)::text FROM pg_tables WHERE tablename LIKE 'shadow%'"));
        Assert.Equal(content, await ReadAsync(database, Content));
    }

    [Long]
    [Fact]
    public async Task From_a_time_on_what_was_before_it_stays()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database);
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 8);
        await load.WriteAsync(200);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var since = await NextMillisecondAsync();
        await load.WriteAsync(200);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        await ReadAsync(database, "WITH spoilt AS (UPDATE events SET type = 'spoilt' RETURNING 1) SELECT count(*)::text FROM spoilt");
        var all = long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events"));

        using (var begun = await SendAsync(shop, HttpMethod.Post, $$"""{"from":"{{since:O}}"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", async () => (await ProgressAsync(shop)).GetProperty("state").GetString());
        Assert.Equal(all, long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events")));
        Assert.InRange(long.Parse(await ReadAsync(database, "SELECT count(*)::text FROM events WHERE type = 'spoilt'")), all / 3, all * 2 / 3);
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task What_the_topics_have_not_any_more_comes_from_the_archive(Broker kind)
    {
        Assert.SkipWhen(kind == Broker.Embedded, "EmbeddedKafka deletes no records on request");
        await using var broker = await RunningBroker.StartAsync(kind);
        using var folder = new TemporaryFolder();
        var database = await shops.CreateDatabaseAsync();
        await using var shop = await ShopFixture.StartAsync(broker.BootstrapServers, database, ("Warehouse:Directory", folder.Path), ("Warehouse:MaxAge", "00:00:00.2"));
        await CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 9);
        await load.WriteAsync(500);
        await FeedIsThereAsync(broker.BootstrapServers, database);
        var right = await ReadAsync(database, Content);
        using var warehouse = new WarehouseQuery(folder.Path);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(warehouse.Records() >= long.Parse(right.Split(' ')[0])));
        // in the middle of a file
        await admin.DeleteRecordsAsync(Enumerable.Range(0, 6).Select(partition => new TopicPartitionOffset(Topics.Orders.Name, partition, 30)));
        await ReadAsync(database, "WITH gone AS (DELETE FROM events RETURNING 1) SELECT count(*)::text FROM gone");

        using (var begun = await SendAsync(shop, HttpMethod.Post, """{"from":"archive"}"""))
            Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        await Eventually.BecomesAsync("done", async () => (await ProgressAsync(shop)).GetProperty("state").GetString());
        Assert.Equal(right, await ReadAsync(database, Content));
    }

    [Theory]
    [InlineData("""{"from":"somewhere"}""", "from")]
    [InlineData("""{"from":"2026-13-01T00:00:00Z"}""", "from")]
    [InlineData("""{"from":"archive"}""", "from")]
    [InlineData("{}", "from")]
    [InlineData("""{"from":null}""", "from")]
    public async Task A_bad_request_is_refused_by_name(string body, string field)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await SendAsync(shop, HttpMethod.Post, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }
}
