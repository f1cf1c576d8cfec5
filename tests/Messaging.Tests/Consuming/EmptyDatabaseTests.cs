using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class EmptyDatabaseTests(PostgresFixture postgres, BrokerFixture brokers)
{
    /// <summary>Kafka was told by the database before that all was handled: which the new one knows nothing of.</summary>
    [Theory, MemberData(nameof(RunningBroker.Both), MemberType = typeof(RunningBroker))]
    public async Task A_service_with_a_new_database_handles_everything_that_is_on_its_topics(Broker broker)
    {
        const int Before = 20;
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var journals = Journals.New(10);
        await using (await service.StartAsync())
        {
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, Before));
            await service.HaveEntriesAsync(journals.Count * Before);
        }

        using var anew = new JournalService(service.Name, await postgres.CreateDatabaseAsync(), service.Kafka);
        await using var instance = await anew.StartAsync();
        await anew.HaveEntriesAsync(journals.Count * Before);
        await anew.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: Before + 1));
        await anew.HaveEntriesAsync(journals.Count * (Before + 1));
        foreach (var journal in journals)
            Assert.Equal(Enumerable.Range(1, Before + 1), await anew.EntriesAsync(journal));
    }
}
