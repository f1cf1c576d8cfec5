using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Shop.Contracts;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;
using Shop.Messaging.Streams;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Streams;

/// <summary>Events that go straight to their topic.</summary>
public sealed class EventStreamTests(BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task The_first_event_makes_its_topic_as_it_is_declared_where_the_broker_would_make_another(Broker broker)
    {
        var kafka = KafkaConnection.Parse((await brokers.GetAsync(broker)).BootstrapServers);
        var topic = new Topic($"t{Guid.NewGuid():N}", 3, retention: new(TimeSpan.FromHours(1), 1_000_000)).With(e => e.JournalId.ToString(), JournalJson.Default.Noted);
        using var stream = StreamTo(kafka, topic);

        // a broker on a busy machine takes longer to make a topic than the stream waits
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await stream.PublishAsync([new Noted(Guid.CreateVersion7(), 1)]);
                return true;
            }
            catch (EventsNotTakenException)
            {
                return false;
            }
        });

        using var admin = kafka.CreateAdmin();
        Assert.Equal([(topic.Name, 3)], await TopicCheck.PartitionsAsync(admin, [topic.Name], TimeSpan.FromSeconds(30)));
        var settings = Assert.Single(await admin.DescribeConfigsAsync([new() { Type = ResourceType.Topic, Name = topic.Name }])).Entries;
        Assert.Equal(("3600000", "1000000"), (settings["retention.ms"].Value, settings["retention.bytes"].Value));
    }

    [Fact]
    public async Task Without_a_broker_it_is_soon_said_that_nothing_was_taken()
    {
        using var stream = StreamTo(KafkaConnection.Parse("127.0.0.1:1"), new Topic("nowhere", 3).With(e => e.JournalId.ToString(), JournalJson.Default.Noted));

        var failure = await Assert.ThrowsAsync<EventsNotTakenException>(() => stream.PublishAsync([new Noted(Guid.CreateVersion7(), 1), new Noted(Guid.CreateVersion7(), 2)]));

        Assert.Equal(2, failure.Count);
    }

    private static EventStream StreamTo(KafkaConnection kafka, Topic topic)
    {
        var (types, options) = (new EventTypes([topic], []), new MessagingOptions("tests", "one"));
        return new(kafka, new TopicCreation(kafka, types, options, TimeProvider.System, NullLogger<TopicCreation>.Instance), types, options,
            new KafkaLog(TimeProvider.System, NullLogger<KafkaLog>.Instance), TimeProvider.System);
    }
}
