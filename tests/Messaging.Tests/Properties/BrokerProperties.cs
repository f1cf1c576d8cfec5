using System.Collections.Concurrent;
using FsCheck.Fluent;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Properties;

/// <summary>A few of the same sequences over a real broker: there deliveries come by themselves, and what breaks are instances and their connections.</summary>
public sealed class BrokerProperties(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Sequences = 3, Length = 60;

    private readonly ConcurrentDictionary<int, bool> _poisoned = new();

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Random_faults_end_in_the_state_of_a_sequential_run(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await service.PrepareAsync();
        var seed = (ulong)Random.Shared.NextInt64();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var instances = new[] { await StartAsync(service), await StartAsync(service) };
        try
        {
            foreach (var steps in Step.Sequences.Generator.Sample(Length, new FsCheck.Rnd(seed), Sequences))
                await RunAsync(service, instances, steps);
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private async Task RunAsync(JournalService service, Instance[] instances, Step[] steps)
    {
        var keys = Journals.New(3);
        var log = new List<(Guid Id, Noted Noted)>();
        var discarded = new HashSet<Guid>();
        _poisoned.Clear();
        foreach (var step in steps)
        {
            switch (step)
            {
                case Step.Publish publish:
                    log.Add((Guid.CreateVersion7(), new(keys[publish.Key], log.Count)));
                    await service.Topics.PublishAsync(service.Notes, [log[^1]]);
                    break;
                case Step.Duplicate { Event: var number } when log.Count > 0:
                    log.Add(log[number % log.Count]);
                    await service.Topics.PublishAsync(service.Notes, [log[^1]]);
                    break;
                case Step.CrashInBatch crash:
                    await instances[crash.Instance].DisposeAsync();
                    instances[crash.Instance] = await StartAsync(service);
                    break;
                case Step.CrashAfterCommit or Step.CrashInRedrive or Step.Conflict:
                    instances[0].Break(database: true);
                    break;
                case Step.Rebalance rebalance:
                    instances[rebalance.Instance].Break(database: false);
                    break;
                case Step.Poison { Event: var number } when log.Count > 0:
                    _poisoned[number % log.Count] = true;
                    break;
                case Step.Mend:
                    _poisoned.Clear();
                    break;
                case Step.Redrive or Step.RedriveAndDeliver:
                    await RedriveAsync(instances[1]);
                    break;
                case Step.Discard when (await instances[1].DeadLettersAsync()).FirstOrDefault() is { } letter:
                    discarded.Add(letter.EventId!.Value);
                    await instances[1].Service.DiscardAsync(letter.Id);
                    break;
            }
        }

        _poisoned.Clear();
        var expected = log.DistinctBy(entry => entry.Id).Where(entry => !discarded.Contains(entry.Id)).ToLookup(entry => entry.Noted.JournalId, entry => entry.Noted.Number);
        await Eventually.BecomesTrueAsync(async () =>
        {
            await RedriveAsync(instances[1]);
            return await service.CountAsync($"SELECT count(*) FROM inbox WHERE event_id IN ('{Guid.Empty}'{string.Concat(log.Select(entry => $",'{entry.Id}'"))})") == log.DistinctBy(entry => entry.Id).Count()
                && (await instances[1].DeadLettersAsync()).Count == 0;
        });
        foreach (var key in expected)
            Assert.Equal(key, await service.EntriesAsync(key.Key));
        Assert.Equal(0, await service.CountAsync("SELECT count(*) FROM offset_regressions"));
    }

    private async Task<Instance> StartAsync(JournalService service)
    {
        var database = TcpProxy.ForPostgres(service.Database);
        var kafka = TcpProxy.ForKafka(service.Kafka);
        return new(database, kafka, await service.StartAsync(new()
        {
            OnNoted = (noted, _) => _poisoned.ContainsKey(noted.Number) ? throw new InvalidOperationException("the handler is broken") : Task.CompletedTask,
        }, database.ConnectionString, kafka.ConnectionString));
    }

    private static async Task RedriveAsync(Instance instance)
    {
        foreach (var letter in (await instance.DeadLettersAsync()).Reverse())
            await instance.Service.RedriveAsync(letter.Id);
    }

    /// <summary>An instance whose connections all break for a moment.</summary>
    private sealed record Instance(TcpProxy Database, TcpProxy Kafka, ServiceHarness<TestDb> Service) : IAsyncDisposable
    {
        public void Break(bool database)
        {
            var proxy = database ? Database : Kafka;
            proxy.Cut();
            proxy.Resume();
        }

        /// <summary>Those that wait for an operator, newest first.</summary>
        public async Task<IReadOnlyList<DeadLetterView>> DeadLettersAsync()
        {
            // the operator asks again where the answer was lost with the connection
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return [.. (await Service.DeadLettersAsync()).Where(letter => letter.Status is "parked" or "redriving")];
                }
                catch (HttpRequestException) when (attempt < 5)
                {
                    await Task.Delay(100);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Service.DisposeAsync();
            await Kafka.DisposeAsync();
            await Database.DisposeAsync();
        }
    }
}
