using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class LogDivergenceTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Before = 20, Repeated = 2;

    public static TheoryData<Broker, bool, int> Both
    {
        get
        {
            var data = new TheoryData<Broker, bool, int>();
            foreach (var broker in RunningBroker.Both)
            {
                foreach (var whileRunning in new[] { true, false })
                {
                    foreach (var after in new[] { 5, 3 * Before })
                        data.Add(new TheoryDataRow<Broker, bool, int>(broker.Data, whileRunning, after) { Skip = broker.Skip });
                }
            }
            return data;
        }
    }

    /// <summary>Its offsets begin at 0 again, and end below the offset rows or beyond; what is on it is new, but for what somebody has put there again.</summary>
    [Theory, MemberData(nameof(Both))]
    public async Task A_topic_that_was_deleted_and_made_anew_is_read_from_its_first_record(Broker broker, bool whileRunning, int after)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var first = await service.StartAsync();
        await first.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(10);
        var old = Journals.Notes(journals, Before).Select(noted => (Id: Guid.CreateVersion7(), Event: (object)noted)).ToList();
        await service.Topics.PublishAsync(service.Notes, old);
        await service.HaveEntriesAsync(journals.Count * Before);
        if (!whileRunning)
            await first.DisposeAsync();

        await MakeAnewAsync(service);
        using var topics = new TopicClient(service.Kafka);
        await topics.PublishAsync(service.Notes, old.Take(journals.Count * Repeated));
        await topics.PublishAsync(service.Notes, Journals.Notes(journals, after, first: Before + 1));
        await using var second = whileRunning ? null : await service.StartAsync();

        // within the deadline the client refreshes what it knows of topics, every 30 s
        await service.HaveEntriesAsync(journals.Count * (Before + after));
        foreach (var journal in journals)
            Assert.Equal(Enumerable.Range(1, Before + after), await service.EntriesAsync(journal));
        await (second ?? first).HasLoggedAsync("LogDiverged");
    }

    private static async Task MakeAnewAsync(JournalService service)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = service.Kafka }).Build();
        await admin.DeleteTopicsAsync([service.Notes.Name]);
        // a broker answers before it shows it: a producer that has seen the old topic gives up what it has for it when that is gone
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Find() is null));
        await Eventually.BecomesTrueAsync(async () =>
        {
            try
            {
                await admin.CreateTopicsAsync([new TopicSpecification { Name = service.Notes.Name, NumPartitions = service.Notes.Partitions, ReplicationFactor = -1 }]);
                return true;
            }
            catch (CreateTopicsException e) when (e.Results[0].Error.Code == ErrorCode.TopicAlreadyExists)
            {
                return false;
            }
        });
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Find()?.Partitions.Count(partition => partition.Leader >= 0) == service.Notes.Partitions));

        TopicMetadata? Find() => admin.GetMetadata(TimeSpan.FromMinutes(1)).Topics.Find(topic => topic.Topic == service.Notes.Name);
    }
}
