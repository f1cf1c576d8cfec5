using System.Net;
using Shop.Testing;

namespace Shop.Messaging.Tests;

public sealed class DeadLetterTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task A_record_that_cannot_be_handled_parks_its_key_and_the_others_go_on(Broker broker)
    {
        await using var service = await StartAsync(broker);
        var broken = Break(Guid.CreateVersion7());
        var others = Enumerable.Range(0, 299).Select(_ => Guid.CreateVersion7()).ToList();

        await service.PublishAsync([.. others.Select(id => new TicketOpened(id, 1)), new TicketOpened(broken, 10),
            new TicketPaid(broken, 1), .. others.Select(id => new TicketPaid(id, 1)), new TicketPaid(broken, 2), new NobodyCares(broken)]);

        await Eventually.BecomesAsync(others.Count, () => Task.FromResult(service.Received.Events.Count));
        await Eventually.BecomesAsync(1L, () => service.CountAsync("parked_records"));
        var letter = Assert.Single(await service.DeadLettersAsync());
        Assert.Equal((broken.ToString(), "parked", 1L), (letter.Key, letter.Status, letter.ParkedBehind));
        Assert.Contains("the handler is broken", letter.Error);
        Assert.Equal(1, letter.Payload!.Value.GetProperty("amount").GetInt32());
        Assert.Equal("Open", await service.StateAsync(broken));
        Assert.Equal(0, await service.PaidAsync(broken));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_redrive_plays_the_record_and_those_behind_it_in_order_and_parks_again_what_still_fails(Broker broker)
    {
        await using var service = await StartAsync(broker);
        var id = Break(Guid.CreateVersion7());
        await service.PublishAsync(new TicketOpened(id, 10), new TicketPaid(id, 4), new TicketPaid(id, 3), new TicketPaid(id, 3));
        await Eventually.BecomesAsync(2L, () => service.CountAsync("parked_records"));
        var letter = Assert.Single(await service.DeadLettersAsync());

        Assert.Equal(HttpStatusCode.Conflict, await service.EndDeadLetterAsync(letter.Id, "redrive"));
        Assert.Equal(("parked", 2L), await service.DeadLettersAsync() is [var still] ? (still.Status, still.ParkedBehind) : default);
        Mend(id);
        Assert.Equal(HttpStatusCode.NoContent, await service.EndDeadLetterAsync(letter.Id, "redrive"));

        Assert.Equal(("Closed", 10), (await service.StateAsync(id), await service.PaidAsync(id)));
        await Eventually.BecomesAsync(1, () => Task.FromResult(service.Received.Events.Count));
        Assert.Equal("redriven", Assert.Single(await service.DeadLettersAsync()).Status);
        Assert.Equal(HttpStatusCode.Conflict, await service.EndDeadLetterAsync(letter.Id, "redrive"));
        Assert.Equal(HttpStatusCode.NotFound, await service.EndDeadLetterAsync(Guid.CreateVersion7(), "redrive"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_discard_leaves_the_record_out_plays_those_behind_it_and_frees_the_key(Broker broker)
    {
        await using var service = await StartAsync(broker);
        var id = Break(Guid.CreateVersion7());
        await service.PublishAsync(new TicketOpened(id, 10), new TicketPaid(id, 4), new TicketPaid(id, 3));
        await Eventually.BecomesAsync(1L, () => service.CountAsync("parked_records"));
        Mend(id);

        Assert.Equal(HttpStatusCode.NoContent, await service.EndDeadLetterAsync(Assert.Single(await service.DeadLettersAsync()).Id, "discard"));

        Assert.Equal(3, await service.PaidAsync(id));
        await service.PublishAsync(new TicketPaid(id, 7));
        await Eventually.BecomesAsync("Closed", () => service.StateAsync(id));
    }

    private static Guid Break(Guid ticket)
    {
        TicketMachine.Broken[ticket] = true;
        return ticket;
    }

    private static void Mend(Guid ticket) => TicketMachine.Broken.TryRemove(ticket, out _);

    private async Task<TestService> StartAsync(Broker broker) => await TestService.StartAsync(
        await postgres.CreateDatabaseAsync(), (await brokers.GetAsync(broker)).BootstrapServers, $"t{Guid.NewGuid():N}", TestContext.Current.CancellationToken);
}
