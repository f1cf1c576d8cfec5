using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.EntityFrameworkCore;
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
    [Long]
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

    /// <summary>Without the topic's id nobody could tell: the client saw nothing of it, and its offset is there in the new log as well.</summary>
    [Long]
    [Theory, MemberData(nameof(RunningBroker.Both), MemberType = typeof(RunningBroker))]
    public async Task A_topic_that_was_made_anew_out_of_sight_is_read_from_its_first_record(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        var journals = Journals.New(10);
        await instance.HasLoggedAsync("PartitionsAssigned");
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, Before));
        await service.HaveEntriesAsync(journals.Count * Before);

        proxy.Cut();
        await MakeAnewAsync(service);
        using var topics = new TopicClient(service.Kafka);
        await topics.PublishAsync(service.Notes, Journals.Notes(journals, 2 * Before, first: Before + 1));
        proxy.Resume();

        await service.HaveEntriesAsync(journals.Count * 3 * Before);
        foreach (var journal in journals)
            Assert.Equal(Enumerable.Range(1, 3 * Before), await service.EntriesAsync(journal));
        await instance.HasLoggedAsync("LogDiverged");
    }

    public static TheoryData<Broker, string> Positions
    {
        get
        {
            var data = new TheoryData<Broker, string>();
            foreach (var broker in RunningBroker.Both)
            {
                foreach (var lastRecord in new[] { "last_record", "NULL", "'\\x00000000000000010203'" })
                    data.Add(new TheoryDataRow<Broker, string>(broker.Data, lastRecord) { Skip = broker.Skip });
            }
            return data;
        }
    }

    /// <summary>As it is after a restart; as a database of an older version has it; and as an instance of that version leaves it, beside one of this.</summary>
    [Theory, MemberData(nameof(Positions))]
    public async Task A_position_in_the_same_log_is_gone_on_from(Broker broker, string lastRecord)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var journals = Journals.New(10);
        await using (var first = await service.StartAsync())
        {
            await first.HasLoggedAsync("PartitionsAssigned");
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, Before));
            await service.HaveEntriesAsync(journals.Count * Before);
            // without an inbox, a record that is handled again has an effect again
            var sql = $"UPDATE consumer_offsets SET last_record = {lastRecord}; TRUNCATE inbox, offset_regressions";
            await first.ChangeAsync(db => db.Database.ExecuteSqlRawAsync(sql));
        }
        await using var second = await service.StartAsync();
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: Before + 1));

        await service.HaveExactlyAsync(journals, Before + 1);
        Assert.DoesNotContain("LogDiverged", second.LoggedEvents);
        Assert.DoesNotContain("LogDoubted", second.LoggedEvents);
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
