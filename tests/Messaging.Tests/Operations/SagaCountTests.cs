using Npgsql;
using Shop.Messaging.Operations;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Operations;

/// <summary>Sagas that have ended stay for ever; counting them takes no longer for that.</summary>
public sealed class SagaCountTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Ended = 300_000, Overdue = 12_000, Open = 7;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Long]
    [Fact]
    public async Task States_of_few_are_counted_and_of_many_known_by_the_statistics_and_none_is_read_in_whole()
    {
        using var tickets = await TicketService.CreateAsync(postgres, brokers, Broker.Embedded);
        // only for its tables
        await (await tickets.StartAsync()).DisposeAsync();
        await using var dataSource = NpgsqlDataSource.Create(tickets.Database);
        await dataSource.ExecuteAsync($"""
            ALTER TABLE tickets SET (autovacuum_enabled = off);
            INSERT INTO tickets (correlation_id, current_state, version, total, paid)
            SELECT gen_random_uuid(), CASE WHEN i <= {Open} THEN 'Open' WHEN i <= {Open + Overdue} THEN 'Expired' ELSE 'Closed' END, 1, 10, 10 FROM generate_series(1, {Open + Overdue + Ended}) i
            """);
        // nothing is known of them yet
        Assert.Equal(new Dictionary<string, double> { ["Closed"] = SagaCounts.Counted + 1, ["Expired"] = SagaCounts.Counted + 1, ["Open"] = Open },
            await SagaCounts.ReadAsync(dataSource, "tickets", "current_state", Cancelled));

        await dataSource.ExecuteAsync("VACUUM ANALYZE tickets");
        var counts = await SagaCounts.ReadAsync(dataSource, "tickets", "current_state", Cancelled);

        Assert.Equal(["Closed", "Expired", "Open"], counts.Keys.Order());
        Assert.Equal(Open, counts["Open"]);
        Assert.InRange(counts["Expired"], 0.8 * Overdue, 1.2 * Overdue);
        Assert.InRange(counts["Closed"], 0.9 * Ended, 1.1 * Ended);
        var plan = await PlanAsync(dataSource);
        Assert.Contains(plan.Lines, line => line.Contains("using tickets_by_state", StringComparison.Ordinal));
        Assert.DoesNotContain(plan.Lines, line => line.Contains("Seq Scan on tickets", StringComparison.Ordinal));
        Assert.InRange(plan.MostRows, 1, SagaCounts.Counted + 1);
    }

    private static async Task<QueryPlan> PlanAsync(NpgsqlDataSource dataSource)
    {
        await using var connection = await dataSource.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        await using (var settings = new NpgsqlCommand(SagaCounts.Settings, connection, transaction))
            await settings.ExecuteNonQueryAsync(Cancelled);
        await using var count = new NpgsqlCommand(SagaCounts.Sql("tickets", "current_state"), connection, transaction);
        return await QueryPlan.OfAsync(count, Cancelled);
    }
}
