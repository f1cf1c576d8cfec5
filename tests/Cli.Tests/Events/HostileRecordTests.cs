using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Cli.Events;
using Shop.Testing;

namespace Shop.Cli.Tests.Events;

/// <summary>Records that no service of the shop would write are shown as what they are, and end nothing.</summary>
public sealed class HostileRecordTests(BrokerFixture brokers)
{
    private static readonly (string, string)[] Event = [("ce_id", "i"), ("ce_type", "shop.orders.order-submitted.v1"), ("ce_source", "/shop/orders")];

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Each_is_a_line(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 1);
        Message<byte[]?, byte[]?>[] records =
        [
            new(), // nothing at all
            new() { Key = [0xff, 0x00, 0xfe], Value = "{}"u8.ToArray() },
            new() { Key = [], Value = [] },
            new() { Value = "hello\r\n\e]0;title\a\e[31m\u202Ered"u8.ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = Enumerable.Repeat((byte)0xff, 100_000).ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = Encoding.UTF8.GetBytes(new string('[', 50_000)), Headers = EventsTopic.Headers(Event) },
            new() { Value = """{"a":"\ud800"}"""u8.ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = """{"\ud800":1}"""u8.ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = "{\n\"a\\u001b[31m\": \"b\\u001b[31m\\n\\u202e\", \"a\": 1e999}"u8.ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = Encoding.UTF8.GetBytes($$"""{"long":"{{new string('x', 300_000)}}"}"""), Headers = EventsTopic.Headers(Event) },
            new() { Value = "[1,2,{\"amount\":\"much\",\"currency\":7},{\"sku\":null,\"quantity\":[]}]"u8.ToArray(), Headers = EventsTopic.Headers(Event) },
            new() { Value = "{}"u8.ToArray(), Headers = EventsTopic.Headers([.. Event, ("ce_time", "yesterday")]) },
            new() { Value = "{}"u8.ToArray(), Headers = EventsTopic.Headers([.. Event, ("ce_time", "0001-01-01T00:00:00Z")]) },
            new() { Value = "{}"u8.ToArray(), Headers = EventsTopic.Headers([.. Event, ("ce_time", "9999-12-31T23:59:59.9999999Z")]) },
            new() { Value = "{}"u8.ToArray(), Headers = new Headers { { "ce_id", null }, { "ce_type", [0xff, 0x1b] }, { "ce_source", [] } } },
            new() { Value = "{}"u8.ToArray(), Headers = EventsTopic.Headers(("ce_id", "i"), ("ce_type", "\e[2J"), ("ce_source", "/")) },
            new() { Value = null, Headers = EventsTopic.Headers(Event) },
        ];
        foreach (var record in records)
            await topic.ProduceAsync(0, record);

        var (jsonCode, json, jsonErrors) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name, "--json");
        var (textCode, text, textErrors) = await CliProcess.RunAsync(topic.Kafka, "events", topic.Name);

        Assert.Equal((0, 0), (jsonCode, textCode));
        Assert.Empty(jsonErrors.Concat(textErrors));
        var lines = json.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(Enumerable.Range(0, records.Length), lines.Select(line => line.GetProperty("offset").GetInt32()));
        Assert.Equal(
            [
                "no ce_id header", "no ce_id header", "no ce_id header", "the body is not JSON", "the body is not JSON", "the body is not JSON", "the body is not JSON", "the body is not JSON",
                null, null, null, "ce_time is no time", null, null, "no ce_id header", null, null,
            ],
            lines.Select(line => line.TryGetProperty("problem", out var problem) ? problem.GetString() : null));
        Assert.Equal("/wD+", lines[1].GetProperty("keyBase64").GetString());
        Assert.Equal(records[3].Value, lines[3].GetProperty("dataBase64").GetBytesFromBase64());
        Assert.Equal(Enumerable.Range(0, records.Length), text.Where(line => line.Contains(topic.Name)).Select(line => int.Parse(line.Split('@')[1].Split(' ')[0])));
        Assert.All(text.Concat(json), line => Assert.DoesNotContain(line, char.IsControl));
        Assert.All(text, line => Assert.DoesNotContain('\u202e', line));
        Assert.All(text, line => Assert.True(line.Length < 500));
        Assert.Equal(10, text.Count(line => line.Contains("not an event")));
    }

    [Theory, InlineData(long.MinValue), InlineData(long.MaxValue)]
    public void A_time_that_no_calendar_knows_is_none(long milliseconds)
    {
        var record = EventRecord.From(new() { Topic = "orders", Message = new() { Timestamp = new(milliseconds, TimestampType.CreateTime) } });

        Assert.Null(record.Timestamp);
        Assert.Null(record.HappenedAt);
    }
}
