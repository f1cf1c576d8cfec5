using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Contracts;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Relay;

public sealed record Said(Guid ThreadId, int Number, string Text);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Said))]
public sealed partial class SaidJson : JsonSerializerContext;

/// <summary>What the broker refuses holds back its own key and nothing else, until an operator decides.</summary>
public sealed class RefusedEventTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Limit = 2_000;

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task An_event_too_large_for_its_topic_holds_back_its_key_until_it_is_retried(Broker broker)
    {
        var (service, topic, kafka) = await StartAsync(broker);
        await using var _ = service;
        using var topics = new TopicClient(kafka);
        Guid refused = Guid.CreateVersion7(), other = Guid.CreateVersion7();

        await service.PublishAsync([Small(refused, 1), Large(refused, 2), Small(refused, 3), .. Enumerable.Range(1, 20).Select(number => Small(other, number))]);
        await topics.ReadUntilAsync(topic, records => records.Count(record => record.Key == other.ToString()) == 20);
        await Eventually.BecomesAsync(1, async () => (await service.RefusedEventsAsync()).Sum(waiting => waiting.HeldBehind));
        var held = Assert.Single(await service.RefusedEventsAsync());
        Assert.Equal((refused.ToString(), topic.Name, 1), (held.Key, held.Topic, held.HeldBehind));
        Assert.Contains("MsgSizeTooLarge", held.Error, StringComparison.Ordinal);

        // later ones of the key wait, others go on
        await service.PublishAsync(Small(refused, 4), Small(other, 21));
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said { Number: 21 }));
        Assert.Equal([1], await NumbersAsync(topics, topic, refused));

        Assert.Equal(HttpStatusCode.NotFound, await service.RetryRefusedAsync(held.Id + 1_000));
        await AlterLimitAsync(kafka, topics, topic, 100 * Limit);
        Assert.Equal(HttpStatusCode.Accepted, await service.RetryRefusedAsync(held.Id));
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said { Number: 4 } said && said.ThreadId == refused));
        Assert.Equal([1, 2, 3, 4], await NumbersAsync(topics, topic, refused));
        Assert.Empty(await service.RefusedEventsAsync());
        await Eventually.BecomesAsync(0, () => service.CountAsync("outbox"));
        Assert.Equal(0, await service.CountAsync("held_messages"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_refused_event_that_is_discarded_is_left_out_and_those_behind_it_go_on(Broker broker)
    {
        var (service, topic, kafka) = await StartAsync(broker);
        await using var _ = service;
        using var topics = new TopicClient(kafka);
        var thread = Guid.CreateVersion7();

        await service.PublishAsync(Small(thread, 1), Large(thread, 2), Small(thread, 3), Large(thread, 4), Small(thread, 5));
        await Eventually.BecomesAsync(1, async () => (await service.RefusedEventsAsync()).Count);
        var first = Assert.Single(await service.RefusedEventsAsync());
        Assert.Equal(HttpStatusCode.Accepted, await service.DiscardRefusedAsync(first.Id));

        // the next large one is refused in its turn
        await Eventually.BecomesTrueAsync(async () => (await service.RefusedEventsAsync()) is [{ } next] && next.Id != first.Id);
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said { Number: 3 }));
        Assert.Equal([1, 3], await NumbersAsync(topics, topic, thread));
        Assert.Equal(HttpStatusCode.Accepted, await service.DiscardRefusedAsync((await service.RefusedEventsAsync())[0].Id));
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said { Number: 5 }));
        Assert.Equal([1, 3, 5], await NumbersAsync(topics, topic, thread));
        Assert.Equal(HttpStatusCode.NotFound, await service.DiscardRefusedAsync(first.Id));
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task An_event_that_only_the_broker_knows_to_be_too_large_is_found_among_those_sent_with_it(Broker broker)
    {
        var (service, topic, kafka) = await StartAsync(broker, 100 * Limit);
        await using var _ = service;
        using var topics = new TopicClient(kafka);
        var refused = Guid.CreateVersion7();
        await service.PublishAsync(Small(refused, 1));
        await topics.ReadUntilAsync(topic, records => records.Count == 1);
        await AlterLimitAsync(kafka, topics, topic, Limit);

        await service.PublishAsync([.. Enumerable.Range(2, 20).Select(number => Small(Guid.CreateVersion7(), number)), Large(refused, 22)]);
        await Eventually.BecomesAsync(1, async () => (await service.RefusedEventsAsync()).Count);
        Assert.Equal(refused.ToString(), Assert.Single(await service.RefusedEventsAsync()).Key);
        await topics.ReadUntilAsync(topic, records => records.Where(record => record.Event is Said).DistinctBy(record => record.Id).Count() == 21);
        await Eventually.BecomesAsync(0, () => service.CountAsync("outbox"));
        Assert.Equal(1, await service.CountAsync("held_messages"));
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task What_is_held_back_leaves_the_outbox_and_comes_back_in_order(Broker broker)
    {
        const int Behind = 5_500;
        // longer than an index entry; random, so that PostgreSQL cannot compress it
        var prefix = Convert.ToHexString(RandomNumberGenerator.GetBytes(3_000));
        var database = await postgres.CreateDatabaseAsync();
        var (service, topic, kafka) = await StartAsync(broker, 10 * Limit, thread => prefix + thread, database);
        await using var _ = service;
        using var topics = new TopicClient(kafka);
        Guid thread = Guid.CreateVersion7(), other = Guid.CreateVersion7();

        await service.PublishAsync([Large(thread, 1, 20 * Limit), .. Enumerable.Range(2, Behind).Select(number => Small(thread, number)), Small(other, 1)]);
        await Eventually.BecomesAsync(Behind + 1, () => service.CountAsync("held_messages"));
        await Eventually.BecomesAsync(0, () => service.CountAsync("outbox"));
        var refused = Assert.Single(await service.RefusedEventsAsync());
        Assert.Equal((prefix + thread, Behind), (refused.Key, refused.HeldBehind));
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said said && said.ThreadId == other));

        // let go while one more is about to be held back behind it
        await using (var hold = await DatabaseHold.BeforeAsync(database, "DELETE", "outbox"))
        {
            await service.PublishAsync(Small(thread, Behind + 2));
            await hold.ReachedAsync();
            var discard = service.DiscardRefusedAsync(refused.Id);
            await hold.OthersReachAsync(2);
            await hold.ReleaseAsync();
            Assert.Equal(HttpStatusCode.Accepted, await discard);
        }
        await topics.ReadUntilAsync(topic, records => records.Any(record => record.Event is Said { Number: Behind + 2 }));
        Assert.Equal(Enumerable.Range(2, Behind + 1), await NumbersAsync(topics, topic, thread));
        await Eventually.BecomesAsync(0, () => service.CountAsync("outbox"));
        Assert.Equal(0, await service.CountAsync("held_messages"));
    }

    private static Said Small(Guid thread, int number) => new(thread, number, "");

    /// <summary>Random, so that compression does not make it small.</summary>
    private static Said Large(Guid thread, int number, int bytes = 2 * Limit) => new(thread, number, Convert.ToBase64String(RandomNumberGenerator.GetBytes(bytes)));

    private static async Task<List<int>> NumbersAsync(TopicClient topics, Topic topic, Guid thread) =>
        [.. (await topics.ReadAsync(topic)).DistinctBy(record => record.Id).Select(record => record.Event).OfType<Said>().Where(said => said.ThreadId == thread).Select(said => said.Number)];

    private async Task<(ServiceHarness<TestDb> Service, Topic Topic, string Kafka)> StartAsync(Broker broker, int limit = Limit, Func<Guid, string>? keyOf = null, string? database = null)
    {
        var name = $"t{Guid.NewGuid():N}";
        var kafka = (await brokers.GetAsync(broker)).BootstrapServers;
        var topic = new Topic($"{name}-said", 1).With(e => keyOf?.Invoke(e.ThreadId) ?? e.ThreadId.ToString(), SaidJson.Default.Said);
        await KafkaTopics.CreateAsync(kafka, new TopicSpecification { Name = topic.Name, NumPartitions = 1, ReplicationFactor = 1, Configs = new() { ["max.message.bytes"] = $"{limit}" } });
        return (await ServiceHarness<TestDb>.StartAsync(name, database ?? await postgres.CreateDatabaseAsync(), kafka, messaging => messaging.Produces(topic)), topic, kafka);
    }

    /// <summary>Returns when the new limit holds: a broker confirms it before it has put it into force.</summary>
    private static async Task AlterLimitAsync(string kafka, TopicClient topics, Topic topic, int limit)
    {
        using var admin = Admin(kafka);
        await admin.AlterConfigsAsync(new()
        {
            [new() { Type = ResourceType.Topic, Name = topic.Name }] = [new() { Name = "max.message.bytes", Value = $"{limit}" }],
        });
        var probe = TopicClient.Message("probe", RandomNumberGenerator.GetBytes(2 * Limit));
        await Eventually.BecomesAsync(limit > 2 * Limit, async () =>
        {
            try
            {
                await topics.ProduceAsync(topic, probe);
                return true;
            }
            catch (KafkaException refused) when (refused.Error.Code == ErrorCode.MsgSizeTooLarge)
            {
                return false;
            }
        });
    }

    private static IAdminClient Admin(string kafka) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka }).Build();
}
