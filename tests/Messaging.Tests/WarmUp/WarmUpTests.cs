using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Tests.Hosting;
using Shop.Messaging.WarmUp;
using Shop.Testing;

namespace Shop.Messaging.Tests.WarmUp;

/// <summary>Before an instance is ready it has worked once, and nobody sees anything of it.</summary>
public sealed class WarmUpTests(PostgresFixture postgres, BrokerFixture brokers)
{
    [Fact]
    public async Task It_runs_through_the_handlers_and_leaves_nothing()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var (journal, handled, committed) = (Guid.CreateVersion7(), new List<int>(), 0);
        var hooks = new Hooks
        {
            OnNoted = (noted, db) =>
            {
                handled.Add(noted.Number);
                db.WhenCommitted(() => committed++);
                return Task.CompletedTask;
            },
        };
        await using var instance = await StartAsync(service, hooks, new(async (db, rehearsal, cancellationToken) =>
        {
            db.Add(new Counter { Id = journal });
            await db.SaveChangesAsync(cancellationToken);
            await rehearsal.HandleAsync("keeper", [new Noted(journal, 1), new Noted(journal, 2)], cancellationToken);
            Assert.Equal(2, db.Journals.Single(kept => kept.Id == journal).Entries.Count);
        }));

        await WarmUps.SucceedsAsync(instance.Services);
        Assert.Equal([1, 2], handled);
        foreach (var table in (string[])["counters", "journals", "outbox", "inbox", "dead_letters"])
            Assert.Equal(0, await instance.CountAsync(table));
        Assert.Equal(0, await service.CountAsync("SELECT count(*) FROM consumer_offsets WHERE partition < 0"));
        Assert.Equal(0, committed);

        // and what is real has its effect
        await service.Topics.PublishAsync(service.Notes, new Noted(journal, 3));
        await service.HaveEntriesAsync(1);
        Assert.Equal(1, committed);
    }

    [Fact]
    public async Task An_instance_is_not_ready_before_it_has_ended()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var going = new TaskCompletionSource();
        await using var instance = await StartAsync(service, new(), new((_, _, cancellationToken) => going.Task.WaitAsync(cancellationToken)));

        await instance.HasLoggedAsync("PartitionsAssigned");
        Assert.Equal("Unhealthy: The service is warming up", await WarmUps.ReadinessAsync(instance.Services));
        going.SetResult();
        await WarmUps.SucceedsAsync(instance.Services);
    }

    [Fact]
    public async Task One_that_fails_holds_up_nobody()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await StartAsync(service, new(), new((_, rehearsal, cancellationToken) => rehearsal.HandleAsync("nobody", [], cancellationToken)));

        await instance.HasLoggedAsync("WarmUpFailed");
        await Eventually.BecomesAsync("Healthy: The warm-up failed: the log tells why", () => WarmUps.ReadinessAsync(instance.Services));
    }

    private static Task<ServiceHarness<TestDb>> StartAsync(JournalService service, Hooks hooks, ScriptedWarmUp.Script script) =>
        ServiceHarness<TestDb>.StartAsync(service.Name, service.Database, service.Kafka,
            messaging =>
            {
                service.Declare(messaging);
                messaging.WarmUp<ScriptedWarmUp>();
            },
            services => services.AddSingleton(hooks).AddSingleton(script), TestContext.Current.CancellationToken);

    /// <summary>Does what the test says.</summary>
    private sealed class ScriptedWarmUp(TestDb db, ScriptedWarmUp.Script script) : IWarmUp
    {
        public delegate Task Script(TestDb db, Rehearsal rehearsal, CancellationToken cancellationToken);

        public Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken) => script(db, rehearsal, cancellationToken);
    }
}
