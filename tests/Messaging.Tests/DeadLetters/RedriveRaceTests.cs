using System.Net;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.DeadLetters;

/// <summary>Whoever redrives, discards, crashes or publishes meanwhile: every record of a key is played once, in order, or left out for good.</summary>
public sealed class RedriveRaceTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private volatile bool _broken = true;

    [Long]
    [Fact]
    public async Task Two_instances_that_redrive_and_discard_the_same_dead_letters_while_records_come_play_each_once()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var first = await StartAsync(service);
        await using var second = await StartAsync(service);
        var journals = Journals.New(24);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 3));
        await Eventually.BecomesAsync(journals.Count * 2L, () => first.CountAsync("parked_records"));
        var letters = await first.DeadLettersAsync();
        _broken = false;

        await Task.WhenAll([
            .. letters.Select(letter => first.RedriveAsync(letter.Id)),
            .. letters.Select((letter, i) => i % 2 == 0 ? second.RedriveAsync(letter.Id) : second.DiscardAsync(letter.Id)),
            service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2, first: 4)),
        ]);

        await Eventually.BecomesAsync(0L, () => first.CountAsync("parked_records"));
        var ended = (await first.DeadLettersAsync()).ToDictionary(letter => Guid.Parse(letter.Key), letter => letter.Status);
        await service.HaveEntriesAsync(ended.Values.Sum(status => status == "discarded" ? 4 : 5));
        foreach (var journal in journals)
            Assert.Equal(ended[journal] == "discarded" ? [2, 3, 4, 5] : [1, 2, 3, 4, 5], await service.EntriesAsync(journal));
        Assert.DoesNotContain(ended.Values, status => status is not ("redriven" or "discarded"));
    }

    [Fact]
    public async Task A_dead_letter_that_was_left_out_is_discarded_though_a_redrive_ends_it()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var first = await StartAsync(service);
        await using var second = await StartAsync(service);
        var (id, letter) = await ParkAsync(service, first);

        await using var hold = await DatabaseHold.BeforeAsync(service.Database, "DELETE", "parked_records");
        var discard = first.DiscardAsync(letter);
        await hold.ReachedAsync();
        var redrive = second.RedriveAsync(letter);
        await hold.OthersWaitAsync("FOR UPDATE");
        // the discard gets no further: its session ends
        await hold.TerminateHeldAsync();
        await hold.ReleaseAsync();

        Assert.Equal(HttpStatusCode.Conflict, await redrive);
        Assert.NotEqual(HttpStatusCode.NoContent, await discard);
        Assert.Equal("discarded", Assert.Single(await first.DeadLettersAsync()).Status);
        Assert.Equal([2, 3], await service.EntriesAsync(id));
    }

    [Fact]
    public async Task A_redrive_that_ends_in_the_middle_is_gone_on_with()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await StartAsync(service);
        var (id, letter) = await ParkAsync(service, instance);

        await using (var hold = await DatabaseHold.BeforeAsync(service.Database, "DELETE", "parked_records"))
        {
            var redrive = instance.RedriveAsync(letter);
            await hold.ReachedAsync();
            await service.Topics.PublishAsync(service.Notes, new Noted(id, 4));
            await hold.TerminateHeldAsync();
            await hold.ReleaseAsync();
            Assert.NotEqual(HttpStatusCode.NoContent, await redrive);
        }
        Assert.Equal("redriving", Assert.Single(await instance.DeadLettersAsync()).Status);
        Assert.Equal([1], await service.EntriesAsync(id));
        await Eventually.BecomesAsync(3L, () => instance.CountAsync("parked_records"));

        Assert.Equal(HttpStatusCode.NoContent, await instance.RedriveAsync(letter));
        Assert.Equal([1, 2, 3, 4], await service.EntriesAsync(id));
    }

    private async Task<(Guid Journal, Guid Letter)> ParkAsync(JournalService service, ServiceHarness<TestDb> instance)
    {
        var id = Guid.CreateVersion7();
        await service.Topics.PublishAsync(service.Notes, Journals.Notes([id], 3));
        await Eventually.BecomesAsync(2L, () => instance.CountAsync("parked_records"));
        _broken = false;
        return (id, Assert.Single(await instance.DeadLettersAsync()).Id);
    }

    private Task<ServiceHarness<TestDb>> StartAsync(JournalService service) => service.StartAsync(new()
    {
        OnNoted = (_, _) => _broken ? throw new InvalidOperationException("the handler is broken") : Task.CompletedTask,
    });
}
