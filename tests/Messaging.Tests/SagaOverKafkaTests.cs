using Microsoft.EntityFrameworkCore;
using Shop.Testing;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
[assembly: AssemblyFixture(typeof(BrokerFixture))]

namespace Shop.Messaging.Tests;

public sealed class SagaOverKafkaTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task A_saga_runs_over_the_broker_and_its_events_reach_a_subscriber(Broker broker)
    {
        await using var service = await StartAsync(broker);
        var ids = Enumerable.Range(0, 500).Select(_ => Guid.CreateVersion7()).ToList();

        foreach (var chunk in ids.Chunk(50))
            await service.PublishAsync([.. chunk.Select(id => new TicketOpened(id, 10)), .. chunk.Select(id => new TicketPaid(id, 4)), .. chunk.Select(id => new TicketPaid(id, 6))]);

        await Eventually.BecomesAsync(ids.Count, () => Task.FromResult(service.Received.Events.Count));
        Assert.Equal(ids.ToHashSet(), service.Received.Events.Cast<TicketClosed>().Select(e => e.TicketId).ToHashSet());
        Assert.All(service.Received.Events.Cast<TicketClosed>(), e => Assert.Equal(10, e.Total));
        Assert.Equal(ids.Count, await service.QueryAsync(db => db.Tickets.CountAsync(ticket => ticket.CurrentState == "Closed" && ticket.Paid == 10)));
        await Eventually.BecomesAsync(0L, () => service.CountAsync("outbox"));
        Assert.Equal(0L, await service.CountAsync("timeouts"));
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_timeout_fires_once_when_it_is_due_and_never_when_it_was_cancelled(Broker broker)
    {
        await using var service = await StartAsync(broker);
        var expires = Guid.CreateVersion7();
        var paid = Guid.CreateVersion7();

        await service.PublishAsync(new TicketOpened(expires, TicketMachine.ShortLived), new TicketOpened(paid, TicketMachine.ShortLived), new TicketPaid(paid, TicketMachine.ShortLived));

        await Eventually.BecomesAsync("Expired", () => service.StateAsync(expires));
        Assert.Equal("Closed", await service.StateAsync(paid));
    }

    private async Task<TestService> StartAsync(Broker broker) => await TestService.StartAsync(
        await postgres.CreateDatabaseAsync(), (await brokers.GetAsync(broker)).BootstrapServers, $"t{Guid.NewGuid():N}", TestContext.Current.CancellationToken);
}

internal static class TestServiceQueries
{
    public static Task<long> CountAsync(this TestService service, string table)
    {
        var sql = $"SELECT count(*) AS \"Value\" FROM {table}";
        return service.QueryAsync(db => db.Database.SqlQueryRaw<long>(sql).SingleAsync());
    }

    public static Task<int> PaidAsync(this TestService service, Guid ticket) =>
        service.QueryAsync(db => db.Tickets.Where(t => t.CorrelationId == ticket).Select(t => t.Paid).SingleOrDefaultAsync());

    public static Task<string?> StateAsync(this TestService service, Guid ticket) =>
        service.QueryAsync(db => db.Tickets.Where(t => t.CorrelationId == ticket).Select(t => t.CurrentState).SingleOrDefaultAsync());
}
