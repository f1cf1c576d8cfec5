using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

public sealed class DuplicateTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task An_event_that_is_delivered_again_has_no_second_effect_in_the_same_batch_or_later(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        var published = new TaskCompletionSource();
        var largest = 0;
        await using var instance = await service.StartAsync(new()
        {
            OnPrefetch = notes => largest = Math.Max(largest, notes.Count()),
            OnNoted = (_, _) => published.Task,
        });
        await instance.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(10);
        var events = Journals.Notes(journals, 20).Select(noted => (Id: Guid.CreateVersion7(), Event: (object)noted)).ToList();

        // each twice in a row, so in one batch; then all of them again, in batches to come; then once more when all were handled
        await service.Topics.PublishAsync(service.Notes, events.SelectMany(e => new[] { e, e }).Concat(events));
        published.SetResult();
        await service.HaveEntriesAsync(200);
        var more = Journals.Notes(journals, 1, first: 21).Select(noted => (Guid.CreateVersion7(), (object)noted));
        await service.Topics.PublishAsync(service.Notes, events.Concat(more));

        await service.HaveEntriesAsync(210);
        await service.HaveExactlyAsync(journals, 21);
        Assert.True(largest > 10, $"the largest batch had {largest} events");
    }
}
