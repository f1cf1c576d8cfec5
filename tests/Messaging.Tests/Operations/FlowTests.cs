using Confluent.Kafka.Admin;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Operations;

/// <summary>What operators see of a service: what it publishes and handles, and what waits.</summary>
public sealed class FlowTests(PostgresFixture postgres, BrokerFixture brokers)
{
    [Fact]
    public async Task What_was_produced_and_handled_and_what_waits_is_told()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var poison = Guid.CreateVersion7();
        var hooks = new Hooks { OnNoted = (noted, _) => noted.JournalId == poison ? throw new InvalidOperationException("broken") : Task.CompletedTask };
        await using var instance = await service.StartAsync(hooks);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes([poison, Guid.CreateVersion7()], 3));
        await service.HaveEntriesAsync(3);
        await Eventually.BecomesAsync(2, () => instance.CountAsync("parked_records"));

        await Eventually.BecomesAsync("True, depth 0, refused 0, dead 1, parked 2; produced 3, last minute 3; dead 1, parked 2, handled 6, lag 0", async () =>
        {
            var flow = await instance.Services.GetRequiredService<MessagingFlow>().ReadAsync(TestContext.Current.CancellationToken);
            // a broker that is busy is asked again
            if (flow.Topics is null)
                return "the broker does not answer";
            var topic = flow.Topics.Single(topic => topic.Topic == service.Records.Name);
            var group = flow.Groups.Single(group => group.Group == service.Group);
            var read = group.Topics.Single(topic => topic.Topic == service.Notes.Name);
            return $"{flow.BrokerAnswers}, depth {flow.Outbox.Depth}, refused {flow.Outbox.Refused}, dead {flow.DeadLetters}, parked {flow.Parked}; "
                + $"produced {topic.Produced}, last minute {topic.LastMinute}; dead {group.DeadLetters}, parked {group.Parked}, handled {read.Handled}, lag {read.Lag}";
        });
    }

    [Fact]
    public async Task Topics_that_somebody_else_made_are_counted_as_they_are()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await KafkaTopics.CreateAsync(service.Kafka, new TopicSpecification { Name = service.Notes.Name, NumPartitions = 1 }, new TopicSpecification { Name = service.Records.Name, NumPartitions = 5 });
        await using var instance = await service.StartAsync();

        await service.Topics.PublishAsync(service.Notes, Journals.Notes([.. Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7())], 1));

        await Eventually.BecomesAsync("5 partitions, produced 20, handled 20, lag 0", async () =>
        {
            var flow = await instance.Services.GetRequiredService<MessagingFlow>().ReadAsync(TestContext.Current.CancellationToken);
            var topic = flow.Topics?.Single(topic => topic.Topic == service.Records.Name);
            var read = flow.Groups.Single(group => group.Group == service.Group).Topics.Single(topic => topic.Topic == service.Notes.Name);
            return $"{topic?.Partitions} partitions, produced {topic?.Produced}, handled {read.Handled}, lag {read.Lag}";
        });
    }

    [Fact]
    public async Task Without_the_broker_what_the_database_knows_is_told_and_the_rest_is_unknown()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await service.StartAsync();
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([Guid.CreateVersion7()], 3));
        await service.HaveEntriesAsync(3);

        using var nobody = new TopicOffsets(KafkaConnection.Parse("127.0.0.1:1"));
        var flow = await new MessagingFlow(instance.Services.GetRequiredService<NpgsqlDataSource>(), nobody, instance.Services.GetRequiredService<MessagingOptions>(), TimeProvider.System)
            .ReadAsync(TestContext.Current.CancellationToken);

        Assert.False(flow.BrokerAnswers);
        Assert.Null(flow.Topics);
        var read = flow.Groups.Single(group => group.Group == service.Group).Topics.Single(topic => topic.Topic == service.Notes.Name);
        Assert.Equal((3, null), (read.Handled, read.Lag));
    }
}
