using System.Collections.Concurrent;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.DeadLetters;

public sealed class DeadLetterTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private readonly ConcurrentDictionary<int, bool> _broken = new();

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Poison_in_the_middle_of_a_batch_of_300_leaves_299_effects_one_dead_letter_and_its_key_parked(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var journals = Journals.New(300);
        var poisoned = journals[150];
        var mended = false;
        var published = new TaskCompletionSource();
        await using var instance = await service.StartAsync(new()
        {
            // the first records wait until all are there, so that batches are as large as they get
            OnNoted = async (noted, _) =>
            {
                await published.Task;
                if (noted == new Noted(poisoned, 1) && !mended)
                    throw new InvalidOperationException("the handler is broken");
            },
        });
        await instance.HasLoggedAsync("PartitionsAssigned");

        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 3));
        published.SetResult();

        await service.HaveEntriesAsync(299 * 3);
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        var letter = Assert.Single(await instance.DeadLettersAsync());
        Assert.Equal((poisoned.ToString(), "parked", 2L), (letter.Key, letter.Status, letter.ParkedBehind));
        Assert.Equal("System.InvalidOperationException: the handler is broken", letter.Error);
        Assert.Contains(nameof(JournalKeeper), letter.StackTrace);
        Assert.Equal(1, letter.Payload!.Value.GetProperty("number").GetInt32());
        Assert.Equal(0, await instance.QueryAsync(db => db.Journals.CountAsync(journal => journal.Id == poisoned)));

        mended = true;
        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync(letter.Id));
        Assert.Equal([1, 2, 3], await service.EntriesAsync(poisoned));
        Assert.Equal("redriven", Assert.Single(await instance.DeadLettersAsync()).Status);
        await service.Topics.ReadUntilAsync(service.Records, records => records.Select(record => record.Id).Distinct().Count() == 900);
    }

    [Fact]
    public async Task Two_redrives_of_one_dead_letter_at_once_play_no_record_twice()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        var id = Guid.CreateVersion7();
        TaskCompletionSource reached = new(), goOn = new();
        var redriving = false;
        await using var instance = await service.StartAsync(new()
        {
            OnNoted = async (noted, _) =>
            {
                if (_broken.ContainsKey(noted.Number))
                    throw new InvalidOperationException("the handler is broken");
                // the first redrive fails at the second record, while the other waits for its turn
                if (redriving && noted.Number == 2 && reached.TrySetResult())
                {
                    await goOn.Task;
                    throw new InvalidOperationException("broken for this once");
                }
            },
        });
        _broken[1] = true;
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([id], 3));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        var letter = Assert.Single(await instance.DeadLettersAsync());
        _broken.Clear();
        redriving = true;

        var first = instance.RedriveAsync(letter.Id);
        await reached.Task;
        var second = instance.RedriveAsync(letter.Id);
        await Eventually.BecomesTrueAsync(async () => await service.CountAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        goOn.SetResult();

        Assert.Equal([HttpStatusCode.Conflict, HttpStatusCode.Conflict], await Task.WhenAll(first, second));
        var next = Assert.Single(await instance.DeadLettersAsync(), left => left.Status == "parked");
        Assert.Equal((2, 1L), (next.Payload!.Value.GetProperty("number").GetInt32(), next.ParkedBehind));
        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync(next.Id));
        Assert.Equal([1, 2, 3], await service.EntriesAsync(id));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_redrive_plays_in_order_and_parks_again_what_fails_again(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await StartAsync(service);
        var id = Guid.CreateVersion7();
        _broken[2] = true;
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([id], 5));
        await Eventually.BecomesAsync(3L, () => instance.CountAsync("parked_records"));
        var letter = Assert.Single(await instance.DeadLettersAsync());

        Assert.Equal(HttpStatusCode.Conflict, await instance.RedriveAsync(letter.Id));
        Assert.Equal(("parked", 3L), await instance.DeadLettersAsync() is [var still] ? (still.Status, still.ParkedBehind) : default);
        Assert.Equal([1], await service.EntriesAsync(id));

        // now one behind it fails: that one holds the key from here on, and what comes meanwhile waits
        _broken.Clear();
        _broken[4] = true;
        Assert.Equal(HttpStatusCode.Conflict, await instance.RedriveAsync(letter.Id));
        Assert.Equal(HttpStatusCode.Conflict, await instance.RedriveAsync(letter.Id));
        await service.Topics.PublishAsync(service.Notes, new Noted(id, 6));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        var letters = await instance.DeadLettersAsync();
        Assert.Equal(["parked", "redriven"], letters.Select(each => each.Status));
        Assert.Equal([1, 2, 3], await service.EntriesAsync(id));

        _broken.Clear();
        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync(letters[0].Id));
        await service.Topics.PublishAsync(service.Notes, new Noted(id, 7));
        await service.HaveEntriesAsync(7);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], await service.EntriesAsync(id));
        Assert.Equal(HttpStatusCode.NotFound, await instance.RedriveAsync(Guid.CreateVersion7()));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_discard_leaves_the_record_out_plays_those_behind_it_and_frees_the_key(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await StartAsync(service);
        var id = Guid.CreateVersion7();
        _broken[2] = true;
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([id], 4));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        var letter = Assert.Single(await instance.DeadLettersAsync());

        Assert.Equal(HttpStatusCode.NoContent, await instance.DiscardAsync(letter.Id));

        Assert.Equal("discarded", Assert.Single(await instance.DeadLettersAsync()).Status);
        Assert.Equal(HttpStatusCode.Conflict, await instance.DiscardAsync(letter.Id));
        await service.Topics.PublishAsync(service.Notes, new Noted(id, 5));
        await service.HaveEntriesAsync(4);
        Assert.Equal([1, 3, 4, 5], await service.EntriesAsync(id));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_comes_again_of_a_dead_letter_is_done_with_where_the_endpoint_has_no_memory_too(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        _broken[1] = true;
        await using var instance = await ServiceHarness<TestDb>.StartAsync(service.Name, service.Database, service.Kafka,
            messaging => messaging.Produces(service.Notes, service.Records)
                .Endpoint("keeper", endpoint => endpoint.Consumes(service.Notes).Consumer<JournalKeeper>().Prefetch<JournalPrefetch>().Idempotent()),
            services => services.AddSingleton(Breaking()), TestContext.Current.CancellationToken);
        var id = Guid.CreateVersion7();
        (Guid Id, object Event)[] events = [.. Enumerable.Range(1, 4).Select(number => (Guid.CreateVersion7(), (object)new Noted(id, number)))];
        await service.Topics.PublishAsync(service.Notes, events[..3].SelectMany(each => new[] { each, each }).SkipLast(1));
        await Eventually.BecomesTrueAsync(async () => await service.CountAsync("SELECT count(*) FROM parked_records WHERE convert_from(body, 'UTF8') LIKE '%:3}'") > 0);
        Assert.Equal(2, await instance.CountAsync("parked_records"));
        var letter = Assert.Single(await instance.DeadLettersAsync());

        Assert.Equal(HttpStatusCode.NoContent, await instance.DiscardAsync(letter.Id));
        await service.Topics.PublishAsync(service.Notes, events.Where((_, number) => number is 0 or 3));
        await service.HaveEntriesAsync(3);
        Assert.Equal([2, 3, 4], await service.EntriesAsync(id));
        Assert.Equal("discarded", Assert.Single(await instance.DeadLettersAsync()).Status);
        Assert.Equal(0, await instance.CountAsync("parked_records"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_record_that_comes_while_a_redrive_fails_waits_its_turn(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await StartAsync(service);
        var id = Guid.CreateVersion7();
        _broken[1] = true;
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([id], 3));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        _broken.Clear();
        _broken[2] = true;

        // held where the first dead letter has ended and the second is not there yet
        await using var hold = await DatabaseHold.BeforeAsync(service.Database, "INSERT", "dead_letters");
        var redrive = instance.RedriveAsync((await instance.DeadLettersAsync())[0].Id);
        await hold.ReachedAsync();
        await service.Topics.PublishAsync(service.Notes, new Noted(id, 4));
        await hold.OthersWaitAsync("FOR SHARE");
        await hold.ReleaseAsync();

        Assert.Equal(HttpStatusCode.Conflict, await redrive);
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        Assert.Equal([1], await service.EntriesAsync(id));
        _broken.Clear();
        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync((await instance.DeadLettersAsync())[0].Id));
        Assert.Equal([1, 2, 3, 4], await service.EntriesAsync(id));
    }

    private Task<ServiceHarness<TestDb>> StartAsync(JournalService service) => service.StartAsync(Breaking());

    private Hooks Breaking() => new()
    {
        OnNoted = (noted, _) => _broken.ContainsKey(noted.Number) ? throw new InvalidOperationException("the handler is broken") : Task.CompletedTask,
    };
}
