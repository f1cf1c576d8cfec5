using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>The database, the broker or both are away for ten seconds while events are published and handled. One class each, so that they run side by side.</summary>
public sealed class DatabaseOutageTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Nothing_is_lost_or_doubled_while_the_database_is_away(Broker broker) =>
        await Outage.SurvivedAsync(await JournalService.CreateAsync(postgres, brokers, broker), database: true, kafka: false);
}

public sealed class BrokerOutageTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Nothing_is_lost_or_doubled_while_the_broker_is_away(Broker broker) =>
        await Outage.SurvivedAsync(await JournalService.CreateAsync(postgres, brokers, broker), database: false, kafka: true);
}

public sealed class TotalOutageTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Nothing_is_lost_or_doubled_while_database_and_broker_are_away(Broker broker) =>
        await Outage.SurvivedAsync(await JournalService.CreateAsync(postgres, brokers, broker), database: true, kafka: true);
}

public sealed class CutOffInstanceTests(PostgresFixture postgres, BrokerFixture brokers)
{
    /// <summary>The instance still holds its database sessions, and with them its shards of the outbox.</summary>
    [Long]
    [Fact]
    public async Task An_instance_that_reaches_the_database_but_not_the_broker_leaves_its_events_to_the_other()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var cutOff = await service.StartAsync(new(), kafka: proxy.ConnectionString);
        await using var other = await service.StartAsync();
        var journals = Journals.New(100);
        await cutOff.PublishAsync([.. Journals.Notes(journals, 1)]);
        await service.HaveEntriesAsync(100);

        proxy.Cut();
        await cutOff.PublishAsync([.. Journals.Notes(journals, 2, first: 2)]);
        await Eventually.BecomesAsync(300, async () => (await service.Topics.ReadAsync(service.Notes)).DistinctBy(record => record.Id).Count());
        await service.HaveExactlyAsync(journals, 3);
    }
}

internal static class Outage
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    /// <summary>Publishes through the outbox before, during and after the outage, and expects every effect once and in order.</summary>
    public static async Task SurvivedAsync(JournalService service, bool database, bool kafka)
    {
        using (service)
        using (var ended = new CancellationTokenSource())
        {
            await using var databaseProxy = TcpProxy.ForPostgres(service.Database);
            await using var kafkaProxy = TcpProxy.ForKafka(service.Kafka);
            await using var instance = await service.StartAsync(new(), databaseProxy.ConnectionString, kafkaProxy.ConnectionString);
            var journals = Journals.New(20);
            var writing = WriteAsync(instance, journals, ended.Token);
            await Eventually.BecomesTrueAsync(() => service.QueryAsync(db => db.Journals.AnyAsync(journal => journal.Entries.Count >= 20)));

            if (database)
                databaseProxy.Cut();
            if (kafka)
                kafkaProxy.Cut();
            await Task.Delay(Duration);
            databaseProxy.Resume();
            kafkaProxy.Resume();

            await ended.CancelAsync();
            await writing;
            await service.HaveExactlyAsync(journals, await service.QueryAsync(db => db.Counters.Select(counter => counter.Version).SingleAsync()));
        }
    }

    /// <summary>Notes the next number in every journal, again and again; a counter knows which numbers were saved, also where the answer to a commit was lost.</summary>
    private static async Task WriteAsync(ServiceHarness<TestDb> instance, List<Guid> journals, CancellationToken ended)
    {
        await instance.ChangeAsync(async db => await db.AddAsync(new Counter { Id = Guid.CreateVersion7() }));
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await instance.ChangeAsync(async db =>
                {
                    var counter = await db.Counters.SingleAsync();
                    counter.Version++;
                    foreach (var noted in Journals.Notes(journals, 1, first: counter.Version))
                        db.Publish(noted);
                });
            }
            catch (Exception e) when (e is DbException or InvalidOperationException or DbUpdateException)
            {
                // away: the next round tries it again
            }
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
