using System.Globalization;
using System.Text.Json;
using Shop.Testing;

namespace Shop.Cli.Tests.Events;

/// <summary>What is there, on both brokers.</summary>
public sealed class EventsTests(BrokerFixture brokers)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Partitions_are_merged_in_the_order_of_time(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 3);
        // each partition's at once, so that only their times tell how they belong together
        for (var partition = 0; partition < 3; partition++)
        {
            for (var i = partition; i < 60; i += 3)
                await topic.PublishAsync(partition, "shop.orders.order-submitted.v1", Noon.AddSeconds(i), $$"""{"number":{{i}}}""");
        }

        var (code, output, errors) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name, "--from-beginning", "--json");

        Assert.Equal((0, ""), (code, string.Join('\n', errors)));
        Assert.Equal(Enumerable.Range(0, 60), output.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetProperty("number").GetInt32()));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task The_newest_hundred_are_shown_unless_all_are_wanted(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 2);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => topic.PublishAsync(i % 2, "shop.orders.order-submitted.v1", Noon.AddSeconds(i), $$"""{"number":{{i}}}""")));

        var (_, newest, _) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name);
        var (_, all, _) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name, "--from-beginning");

        var day = Noon.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Assert.Equal([day, .. Enumerable.Range(200, 100).Select(i => $"number={i}")], newest.Select(line => line.Split(' ')[^1]));
        Assert.Equal(301, all.Count);
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task An_event_has_all_its_attributes_for_programs(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 1);
        await topic.ProduceAsync(0, new()
        {
            Key = "mug-blue"u8.ToArray(),
            Value = """{"sku": "mug-blue",  "name": "Tasse – blau"}"""u8.ToArray(),
            Timestamp = new(Noon),
            Headers = EventsTopic.Headers(("ce_id", "i"), ("ce_type", "shop.catalog.product-changed.v1"), ("ce_source", "/shop/inventory"), ("ce_time", "2026-11-22T11:59:59.123456Z"),
                ("ce_subject", "mug-blue"), ("ce_causationid", "c"), ("traceparent", "00-a-b-01")),
        });

        var (_, output, _) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name, "--json");

        Assert.Equal($$$"""
            {"topic":"{{{topic.Name}}}","partition":0,"offset":0,"timestamp":"2026-11-22T12:00:00.000Z","key":"mug-blue","id":"i","type":"shop.catalog.product-changed.v1","source":"/shop/inventory","time":"2026-11-22T11:59:59.123456Z","subject":"mug-blue","causationId":"c","traceParent":"00-a-b-01","data":{"sku":"mug-blue","name":"Tasse – blau"}}
            """, Assert.Single(output));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_topic_that_is_not_there_is_answered_with_those_that_are(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 1);

        var (code, output, errors) = await CliProcess.RunAsync(topic.Kafka, "events", "no-such-topic");

        Assert.Equal((1, 0), (code, output.Count));
        var error = Assert.Single(errors);
        Assert.StartsWith("There is no topic no-such-topic. There are: ", error);
        Assert.Contains(topic.Name, error);
        Assert.DoesNotContain("__", error);
    }

    [Fact]
    public async Task The_running_shops_Kafka_is_found_in_its_state()
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(Broker.Embedded)).BootstrapServers, 1);
        await topic.PublishAsync(0, "shop.orders.order-submitted.v1", Noon, "{}");
        var data = Directory.CreateTempSubdirectory("cli-tests-").FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "state.json"),
            $$"""{"url":"http://localhost:8080","apphost":1,"parts":[{"name":"postgres","url":"postgresql://127.0.0.1:1"},{"name":"kafka","instance":1,"pid":2,"url":"kafka://{{topic.Kafka}}","state":"healthy","restarts":0}]}""");

        await using var process = CliProcess.Start("", data, "events", topic.Name);

        Assert.Equal(0, await process.ExitedAsync());
        Assert.Contains("OrderSubmitted", process.Output[^1]);
        Directory.Delete(data, recursive: true);
    }

    [Theory]
    [InlineData("", "No shop is running")]
    [InlineData("127.0.0.1:1", "Kafka does not answer: ")]
    [InlineData("security.protocol=SASL_SSL", "The Kafka connection string names no bootstrap.servers")]
    [InlineData("bootstrap.servers=127.0.0.1:1;no.such.setting=1", "no.such.setting")]
    public async Task Without_Kafka_there_is_a_message(string kafka, string message)
    {
        var (code, output, errors) = await CliProcess.RunAsync(kafka, "events");

        Assert.Equal((1, 0), (code, output.Count));
        Assert.Contains(message, Assert.Single(errors));
    }
}
