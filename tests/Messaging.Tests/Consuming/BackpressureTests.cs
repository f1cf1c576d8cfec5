using Shop.Messaging.Consuming;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>By itself, because it measures the process's memory.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class MeasuringMemory;

[Collection<MeasuringMemory>]
public sealed class BackpressureTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Waiting = 300_000;
    private const long Megabyte = 1024 * 1024;

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Memory_stays_small_with_300_000_records_waiting_behind_slow_handlers(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        var held = 0;
        var goOn = new TaskCompletionSource();
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = (_, _) =>
            {
                Interlocked.Increment(ref held);
                return goOn.Task;
            },
        }, kafka: proxy.ConnectionString);
        await instance.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(60);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));
        // every lane has one in its hands
        var lanes = Math.Min(PartitionFeed.Lanes, service.Notes.Partitions);
        await Eventually.BecomesAsync(lanes, () => Task.FromResult(held));
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var body = new byte[200];
        await service.Topics.ProduceAsync(service.Notes, Enumerable.Range(0, Waiting).Select(n => TopicClient.Message($"{n}", body,
            ("ce_id", $"{Guid.CreateVersion7()}"), ("ce_type", "com.example.somebody-elses.v1"), ("ce_source", "/tests"))));
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 2));
        var read = await ReadingStopsAsync(proxy);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        TestContext.Current.TestOutputHelper?.WriteLine($"{read / Megabyte} MB were read and {grown / Megabyte} MB are held of {Waiting} records");

        // all of it has 100 MB; the client's own queue takes 16 MB and a fetch at most
        Assert.InRange(read, Megabyte, 40 * Megabyte);
        Assert.InRange(grown, long.MinValue, 30 * Megabyte);
        Assert.Equal(lanes, held);
        goOn.SetResult();
        await service.HaveExactlyAsync(journals, 2);
    }

    /// <summary>Waits until hardly anything was read for a second.</summary>
    private static async Task<long> ReadingStopsAsync(TcpProxy proxy)
    {
        long last, now = proxy.BytesToClients;
        do
        {
            last = now;
            await Task.Delay(1000);
            now = proxy.BytesToClients;
        }
        while (now - last > Megabyte / 10);
        return now;
    }
}
