using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Sagas;

public sealed class ScheduledMessageTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Timeouts_survive_a_restart_and_fire_once_and_moot_ones_never(Broker broker)
    {
        using var service = await TicketService.CreateAsync(postgres, brokers, broker);
        var clock = new ShiftedTime();
        Guid expires = Guid.CreateVersion7(), paid = Guid.CreateVersion7(), last = Guid.CreateVersion7();
        await using (var first = await service.StartAsync(clock))
        {
            await first.PublishAsync(new TicketOpened(expires, 10), new TicketOpened(paid, 10));
            // the timeouts have to be in the database: one that is cancelled in its own batch never gets there
            await Eventually.BecomesAsync(2, () => first.CountAsync("timeouts"));
            await first.PublishAsync(new TicketPaid(paid, 10));
            await Eventually.BecomesAsync("Closed", () => first.StateAsync(paid));
            Assert.Equal(1, await first.CountAsync("timeouts"));
        }

        // not so far ahead that the broker would refuse the timestamps
        clock.Ahead = 2 * TicketMachine.Lifetime;
        await using var second = await service.StartAsync(clock);
        await using var third = await service.StartAsync(clock);
        await Eventually.BecomesAsync("Expired", () => second.StateAsync(expires));

        // due after the others: when it has fired, they have
        await third.PublishAsync(new TicketOpened(last, 10));
        await Eventually.BecomesAsync("Expired", () => third.StateAsync(last));
        var fired = (await service.Topics.ReadAsync(service.Tickets)).Select(record => record.Event).OfType<TicketExpired>().Select(e => e.TicketId);
        Assert.Equal(new[] { expires, last }.Order(), fired.Order());
        Assert.Equal("Closed", await second.StateAsync(paid));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_timeout_that_was_replaced_or_cancelled_while_it_was_on_its_way_has_no_effect(Broker broker)
    {
        using var service = await TicketService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        var id = Guid.CreateVersion7();
        await instance.PublishAsync(new TicketOpened(id, 10));
        await Eventually.BecomesAsync("Open", () => instance.StateAsync(id));

        await service.Topics.ProduceAsync(service.Tickets, TopicClient.Message(id.ToString(), System.Text.Encoding.UTF8.GetBytes($$"""{"ticketId":"{{id}}"}"""),
            ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", $"shop.{service.Tickets}.ticket-expired.v1"), ("ce_source", "/tests"),
            ("MT-Scheduling-TokenId", Guid.CreateVersion7().ToString())));
        await service.Topics.PublishAsync(service.Tickets, new TicketPaid(id, 10));

        await Eventually.BecomesAsync("Closed", () => instance.StateAsync(id));
        Assert.Equal(10, await instance.PaidAsync(id));
    }
}
