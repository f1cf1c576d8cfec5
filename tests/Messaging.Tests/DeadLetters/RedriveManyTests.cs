using Npgsql;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.DeadLetters;

public sealed class RedriveManyTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private Func<Noted, Exception?> _failure = noted => noted.Number % 2 == 0 ? new ArgumentException("even") : new InvalidOperationException("odd");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_chosen_by_topic_type_and_cause_is_redriven_and_the_progress_says_how_it_went()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var instance = await StartAsync(service);
        var journals = Journals.New(9);
        await service.Topics.PublishAsync(service.Notes, journals.Select((id, i) => new Noted(id, i + 1)));
        await Eventually.BecomesAsync(9L, () => instance.CountAsync("dead_letters"));
        var type = (await instance.DeadLettersAsync())[0].EventType;
        _failure = noted => noted.Number == 9 ? new InvalidOperationException("still") : null;

        foreach (var nothing in new RedriveSelection[] { new("another"), new(EventType: "another"), new(ErrorType: "another") })
            Assert.Equal(("completed", 0), (await instance.BeginRedriveAsync(nothing)).Redrive is var none ? (none.Status, none.Total) : default);

        var (slashed, progress) = await instance.BeginRedriveAsync(new("another"), "dead-letters/redrive/");
        Assert.Equal(slashed.Id, (await instance.RedriveEndsAsync(progress)).Id);

        var (begun, location) = await instance.BeginRedriveAsync(new(service.Notes.Name, type, typeof(InvalidOperationException).FullName));
        Assert.Equal(("running", 5), (begun.Status, begun.Total));
        var ended = await instance.RedriveEndsAsync(location);
        Assert.Equal((5, 4, 1), (ended.Total, ended.Redriven, ended.Failed));
        Assert.Equal([2, 4, 6, 8, 9], await WaitingAsync(instance));

        _failure = _ => null;
        var rest = await instance.RedriveEndsAsync((await instance.BeginRedriveAsync(new())).Location);
        Assert.Equal((5, 5, 0), (rest.Total, rest.Redriven, rest.Failed));
        Assert.Empty(await WaitingAsync(instance));
        for (var i = 0; i < journals.Count; i++)
            Assert.Equal([i + 1], await service.EntriesAsync(journals[i]));
    }

    [Long]
    [Fact]
    public async Task A_redrive_goes_on_where_an_instance_was_killed_between_playing_and_counting()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var dataSource = NpgsqlDataSource.Create(service.Database);
        var journals = Journals.New(10);
        await using (var broken = await StartAsync(service))
        {
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2));
            await Eventually.BecomesAsync(10L, () => broken.CountAsync("parked_records"));
        }
        var begun = await Redrives.BeginAsync(dataSource, new(), DateTimeOffset.UtcNow, Cancellation);

        await using (var process = ServiceProcess.Start(service))
        await using (var hold = await DatabaseHold.BeforeAsync(service.Database, "UPDATE", "redrives"))
        {
            await hold.ReachedAsync();
            Assert.Equal(2, await service.CountAsync("SELECT coalesce(sum(cardinality(entries)), 0) FROM journals"));
            await process.KillAsync();
            await hold.TerminateHeldAsync();
            await hold.ReleaseAsync();
        }
        Assert.Equal(("running", 10, 0), (await Redrives.FindAsync(dataSource, begun.Id, Cancellation)) is { } left ? (left.Status, left.Total, left.Redriven) : default);

        await using var instance = await service.StartAsync();
        await Eventually.BecomesAsync("completed", async () => (await Redrives.FindAsync(dataSource, begun.Id, Cancellation))!.Status);
        var ended = (await Redrives.FindAsync(dataSource, begun.Id, Cancellation))!;
        Assert.Equal((10, 10, 0), (ended.Total, ended.Redriven, ended.Failed));
        foreach (var journal in journals)
            Assert.Equal([1, 2], await service.EntriesAsync(journal));
    }

    private static async Task<IEnumerable<int>> WaitingAsync(ServiceHarness<TestDb> instance) => (await instance.DeadLettersAsync())
        .Where(letter => letter.Status == "parked").Select(letter => letter.Payload!.Value.GetProperty("number").GetInt32()).Order();

    private Task<ServiceHarness<TestDb>> StartAsync(JournalService service) => service.StartAsync(new()
    {
        OnNoted = (noted, _) => _failure(noted) is { } failure ? throw failure : Task.CompletedTask,
    });
}
