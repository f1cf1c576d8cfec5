using System.Net;
using System.Security.Cryptography;
using System.Text;
using Confluent.Kafka;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class UnreadableRecordTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task What_cannot_be_read_becomes_a_dead_letter_and_parks_its_key_only(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        var good = Journals.New(20);
        var type = $"shop.{service.Notes}.noted.v1";
        var id = () => ("ce_id", Guid.CreateVersion7().ToString());

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(good, 1));
        await service.Topics.ProduceAsync(service.Notes,
            Record("no-id", "{}", ("ce_type", type), ("ce_source", "/tests")),
            Record("no-type", "{}", id(), ("ce_source", "/tests")),
            Record("no-source", "{}", id(), ("ce_type", type)),
            Record("bad-id", "{}", ("ce_id", "7"), ("ce_type", type), ("ce_source", "/tests")),
            Record("bad-time", "{}", id(), ("ce_type", type), ("ce_source", "/tests"), ("ce_time", "yesterday")),
            Record("not-json", "<xml/>", id(), ("ce_type", type), ("ce_source", "/tests")),
            Record("null-data", "null", id(), ("ce_type", type), ("ce_source", "/tests")),
            Record("nul\0in-key", "\0", ("ce\0id", "\0"), ("ce_type", "\0")));
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(good, 1, first: 2));

        await service.HaveEntriesAsync(good.Count * 2);
        await Eventually.BecomesAsync(8L, () => instance.CountAsync("dead_letters"));
        var letters = (await instance.DeadLettersAsync()).ToDictionary(letter => letter.Key, letter => letter.Error);
        Assert.Contains("no ce_id header", letters["no-id"]);
        Assert.Contains("no ce_type header", letters["no-type"]);
        Assert.Contains("no ce_source header", letters["no-source"]);
        Assert.Contains("ce_id is not a UUID", letters["bad-id"]);
        Assert.Contains("ce_time", letters["bad-time"]);
        Assert.Contains("Json", letters["not-json"]);
        Assert.Contains("Json", letters["null-data"]);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Unreadable_records_of_one_key_queue_up_and_hold_nothing_else_back(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        var good = Journals.New(20);

        await service.Topics.ProduceAsync(service.Notes, Record(null, "what is this?"), Record(null, "and this?"), Record("k", "1"), Record("k", "2"), Record("k", "3"));
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(good, 3));

        await service.HaveEntriesAsync(good.Count * 3);
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("dead_letters"));
        await Eventually.BecomesAsync(3L, () => instance.CountAsync("parked_records"));
        // discarded one after the other: each shows the next
        for (var left = 2; left >= 0; left--)
        {
            var letter = (await instance.DeadLettersAsync()).First(letter => letter is { Key: "k", Status: "parked" });
            Assert.Equal((left, (3 - left).ToString()), ((int)letter.ParkedBehind, letter.Payload.ToString()));
            Assert.Equal(left == 0 ? HttpStatusCode.NoContent : HttpStatusCode.Conflict, await instance.DiscardAsync(letter.Id));
        }
        Assert.All((await instance.DeadLettersAsync()).Where(letter => letter.Key == "k"), letter => Assert.Equal("discarded", letter.Status));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_key_longer_than_an_index_entry_parks_itself_only(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        // random, so that PostgreSQL cannot compress it; two that differ in the end only
        var random = Convert.ToHexString(RandomNumberGenerator.GetBytes(3_000)) + "\\x\\";
        var (key, other) = (random + "1", random + "2");
        var good = Journals.New(20);

        await service.Topics.ProduceAsync(service.Notes, Record(key, "1"), Record(key, "2"), Record(key, "3"), Record(other, "1"));
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(good, 3));

        await service.HaveEntriesAsync(good.Count * 3);
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("dead_letters"));
        var letters = await instance.DeadLettersAsync();
        Assert.Equal([(key, 2L), (other, 0L)], letters.Select(letter => (letter.Key, letter.ParkedBehind)).Order());
        Assert.Equal([key], (await instance.QueryAsync(db => db.ParkedKeysAsync(service.Group, [key, "k"], CancellationToken.None))).Keys);
        Assert.Equal(HttpStatusCode.NoContent, await instance.DiscardAsync(letters.Single(letter => letter.Key == other).Id));
        Assert.Equal(HttpStatusCode.Conflict, await instance.DiscardAsync(letters.Single(letter => letter.Key == key).Id));
        Assert.Equal((key, 1L), (await instance.DeadLettersAsync()) is [var next, ..] ? (next.Key, next.ParkedBehind) : default);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_nobody_subscribed_to_is_skipped(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        var id = Guid.CreateVersion7();

        await service.Topics.PublishAsync(service.Notes, new NobodyCares(id));
        await service.Topics.ProduceAsync(service.Notes,
            Record(id.ToString(), "not even JSON", ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", "com.example.other.v9"), ("ce_source", "/elsewhere")),
            TopicClient.Message(id.ToString(), null, ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", $"shop.{service.Notes}.noted.v1"), ("ce_source", "/tests")));
        await service.Topics.PublishAsync(service.Notes, new Noted(id, 1));

        await service.HaveEntriesAsync(1);
        Assert.Equal(0, await instance.CountAsync("dead_letters"));
        Assert.Equal(1, await instance.CountAsync("inbox"));
    }

    private static Message<byte[]?, byte[]?> Record(string? key, string body, params ReadOnlySpan<(string Name, string Value)> headers) =>
        TopicClient.Message(key, Encoding.UTF8.GetBytes(body), headers);
}
