using System.Collections.Concurrent;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class RebalanceTests(PostgresFixture postgres, BrokerFixture brokers)
{
    /// <summary>The shortest session that brokers allow.</summary>
    private const string ShortSession = "bootstrap.servers={0};session.timeout.ms=6000";

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task A_zombie_that_wakes_up_after_a_rebalance_in_mid_batch_writes_nothing(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var zombieKafka = TcpProxy.ForKafka(service.Kafka);
        await using var zombieDatabase = TcpProxy.ForPostgres(service.Database);
        var held = new TaskCompletionSource();
        var wakeUp = new TaskCompletionSource();
        await using var zombie = await service.StartAsync(new()
        {
            OnNoted = (_, _) =>
            {
                held.TrySetResult();
                return wakeUp.Task;
            },
        }, zombieDatabase.ConnectionString, string.Format(ShortSession, zombieKafka.ConnectionString));
        await zombie.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(30);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10));
        await held.Task;

        // its machine hangs in mid-batch: the broker gives its partitions to another, and the database ends its transactions
        zombieKafka.Stall();
        zombieDatabase.Cut();
        await using var successor = await service.StartAsync();
        await service.HaveEntriesAsync(300);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 11));
        await service.HaveEntriesAsync(330);

        zombieDatabase.Resume();
        wakeUp.SetResult();
        await zombie.HasLoggedAsync("BatchFenced");
        zombieKafka.Resume();
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 5, first: 12));
        await service.HaveEntriesAsync(480);
        await service.HaveExactlyAsync(journals, 16);
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task A_batch_that_commits_after_its_partition_went_to_another_instance_takes_effect_once(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var lostKafka = TcpProxy.ForKafka(service.Kafka);
        var held = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var first = await service.StartAsync(new()
        {
            OnNoted = (_, _) =>
            {
                held.TrySetResult();
                return goOn.Task;
            },
        }, kafka: string.Format(ShortSession, lostKafka.ConnectionString));
        await first.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(30);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 10));
        await held.Task;

        // the database still has the transactions of the first: the second waits for them, and finds their records handled
        lostKafka.Stall();
        await using var second = await service.StartAsync();
        await Eventually.BecomesTrueAsync(async () => await service.CountAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%consumer_offsets%' AND datname = current_database()") > 0);
        goOn.SetResult();
        await service.HaveEntriesAsync(300);

        lostKafka.Resume();
        await service.HaveExactlyAsync(journals, 10);
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task A_handler_slower_than_session_and_poll_interval_keeps_its_place_in_the_group(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var held = new TaskCompletionSource();
        var slow = 1;
        var handled = new ConcurrentQueue<Noted>();
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = async (noted, _) =>
            {
                handled.Enqueue(noted);
                if (Interlocked.Exchange(ref slow, 0) == 1)
                    await Task.Delay(TimeSpan.FromSeconds(30));
            },
        }, kafka: $"bootstrap.servers={service.Kafka};session.timeout.ms=20000;max.poll.interval.ms=20000"); // not so short that a busy machine ends the session
        await instance.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(30);

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2));

        await service.HaveEntriesAsync(60);
        await service.HaveExactlyAsync(journals, 2);
        Assert.Equal(60, handled.Count);
        Assert.Single(instance.LoggedEvents, name => name == "PartitionsAssigned");
    }
}
