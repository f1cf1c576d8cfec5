using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Messaging.Kafka;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Kafka;

/// <summary>Topics that are there already are what the service needs, or it says what is wrong with them.</summary>
public sealed class TopicCheckTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Joined_topics_of_unequal_partitions_are_named_until_they_are_equal(Broker broker)
    {
        var (first, second, kafka) = await NamesAsync(broker);
        using var admin = Admin(kafka);
        await KafkaTopics.CreateAsync(kafka, Specification(first.Name, 3), Specification(second.Name, 2));
        await using var service = await StartAsync(first, second, kafka);
        var topics = service.Services.GetRequiredService<TopicCreation>();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => topics.EnsureAllAsync(Cancellation));
        Assert.Contains($"{first.Name} (3), {second.Name} (2) must have equally many partitions", refusal.Message, StringComparison.Ordinal);
        await service.HasLoggedAsync("WorkerFailed");

        await admin.CreatePartitionsAsync([new() { Topic = second.Name, IncreaseTo = 3 }]);
        await service.HasLoggedAsync("PartitionsAssigned");
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_topic_of_events_that_is_compacted_is_refused(Broker broker)
    {
        var (first, second, kafka) = await NamesAsync(broker);
        await KafkaTopics.CreateAsync(kafka, Specification(first.Name, 3), Specification(second.Name, 3, ("cleanup.policy", "compact")));
        await using var service = await StartAsync(first, second, kafka);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => service.Services.GetRequiredService<TopicCreation>().EnsureAllAsync(Cancellation));
        Assert.Contains($"{second.Name} has cleanup.policy=compact", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(first.Name, refusal.Message, StringComparison.Ordinal);
    }

    private async Task<(Topic First, Topic Second, string Kafka)> NamesAsync(Broker broker)
    {
        var name = $"t{Guid.NewGuid():N}";
        return (new Topic($"{name}-first", 3).With(e => e.JournalId.ToString(), JournalJson.Default.Noted),
            new Topic($"{name}-second", 3).With(e => e.JournalId.ToString(), JournalJson.Default.Recorded), (await brokers.GetAsync(broker)).BootstrapServers);
    }

    private async Task<ServiceHarness<TestDb>> StartAsync(Topic first, Topic second, string kafka) => await ServiceHarness<TestDb>.StartAsync(
        $"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), kafka,
        messaging => messaging.Endpoint("keeper", endpoint => endpoint.Consumes(first, second).Consumer<JournalKeeper>()), services => services.AddSingleton(new Hooks()), Cancellation);

    private static TopicSpecification Specification(string name, int partitions, params (string Name, string Value)[] configs) =>
        new() { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs.ToDictionary(config => config.Name, config => config.Value) };

    private static IAdminClient Admin(string kafka) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka }).Build();
}
