using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>Instances killed with SIGKILL at the worst moments; another takes over.</summary>
public sealed class CrashTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Killed_between_database_commit_and_Kafka_commit_the_records_are_read_again_and_have_no_second_effect(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await service.PrepareAsync();
        var journals = Journals.New(30);
        await using (var proxy = TcpProxy.ForKafka(service.Kafka))
        await using (var hold = await DatabaseHold.BeforeAsync(service.Database, "INSERT", "journals"))
        await using (var process = ServiceProcess.Start(service, proxy.ConnectionString))
        {
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 3));
            await hold.ReachedAsync();
            proxy.Stall();
            await hold.ReleaseAsync();
            await Eventually.BecomesTrueAsync(async () => await service.CountAsync("SELECT count(*) FROM journals") > 0);
            await process.KillAsync();
        }
        Assert.All(await service.Topics.CommittedAsync(service.Group, service.Notes), offset => Assert.Equal(0, offset));

        await using var successor = await service.StartAsync();
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 4));
        await service.HaveEntriesAsync(120);
        await service.HaveExactlyAsync(journals, 4);
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Killed_before_the_database_commit_the_whole_batch_is_handled_by_the_next(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await service.PrepareAsync();
        var journals = Journals.New(30);
        // everything of the batch is written but its events
        await using (var hold = await DatabaseHold.BeforeAsync(service.Database, "INSERT", "outbox"))
        await using (var process = ServiceProcess.Start(service))
        {
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 3));
            await hold.ReachedAsync();
            await process.KillAsync();
            await hold.TerminateHeldAsync();
            await hold.ReleaseAsync();
        }
        await using var successor = await service.StartAsync();
        await service.HaveEntriesAsync(90);
        await service.HaveExactlyAsync(journals, 3);
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Killed_between_produce_and_delete_the_relay_repeats_events_which_have_no_second_effect(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var journals = Journals.New(30);
        await using (var cut = TcpProxy.ForKafka(service.Kafka))
        {
            cut.Cut();
            await using var writer = await service.StartAsync(kafka: cut.ConnectionString);
            await writer.PublishAsync([.. Journals.Notes(journals, 3)]);
        }
        await using (var hold = await DatabaseHold.BeforeAsync(service.Database, "DELETE", "outbox"))
        await using (var process = ServiceProcess.Start(service))
        {
            await hold.ReachedAsync();
            await process.KillAsync();
            await hold.TerminateHeldAsync();
            await hold.ReleaseAsync();
        }

        await using var successor = await service.StartAsync();
        await service.HaveEntriesAsync(90);
        await service.HaveExactlyAsync(journals, 3);
        var produced = await service.Topics.ReadAsync(service.Notes);
        Assert.Equal(90, produced.Select(record => record.Id).Distinct().Count());
        Assert.True(produced.Count > 90, "nothing was repeated: it was killed too early");
    }
}
