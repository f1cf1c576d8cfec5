using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Sagas;

public sealed class SagaOverKafkaTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task A_saga_runs_over_the_broker_and_its_events_reach_a_subscriber(Broker broker)
    {
        using var service = await TicketService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        var ids = Enumerable.Range(0, 500).Select(_ => Guid.CreateVersion7()).ToList();

        foreach (var chunk in ids.Chunk(50))
            await instance.PublishAsync([.. chunk.Select(id => new TicketOpened(id, 10)), .. chunk.Select(id => new TicketPaid(id, 4)), .. chunk.Select(id => new TicketPaid(id, 6))]);

        await Eventually.BecomesAsync(ids.Count, () => Task.FromResult(service.Received.Events.Count));
        Assert.Equal(ids.ToHashSet(), service.Received.Events.Cast<TicketClosed>().Select(e => e.TicketId).ToHashSet());
        Assert.All(service.Received.Events.Cast<TicketClosed>(), e => Assert.Equal(10, e.Total));
        Assert.Equal(ids.Count, await instance.QueryAsync(db => db.Tickets.CountAsync(ticket => ticket.CurrentState == "Closed" && ticket.Paid == 10)));
        await Eventually.BecomesAsync(0L, () => instance.CountAsync("outbox"));
        Assert.Equal(0L, await instance.CountAsync("timeouts"));
    }
}
