using System.Globalization;
using System.Text.Json.Serialization;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.ChangeCapture;

public sealed record JournalKept(Guid JournalId, string Entries);
public sealed record CounterMoved(Guid CounterId, int Version);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(JournalKept))]
[JsonSerializable(typeof(CounterMoved))]
public sealed partial class CaptureJson : JsonSerializerContext;

/// <summary>Any table with a primary key of one column is captured by a declaration, several of a service side by side.</summary>
public sealed class TableCaptureTests(PostgresFixture postgres, BrokerFixture brokers)
{
    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Two_tables_of_a_service_become_two_topics(Broker broker)
    {
        var (name, database, kafka) = ($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), (await brokers.GetAsync(broker)).BootstrapServers);
        var journals = new Topic($"{name}-journals", 2, compacted: true).With(e => e.JournalId.ToString(), CaptureJson.Default.JournalKept);
        var counters = new Topic($"{name}-counters", 2, compacted: true).With(e => e.CounterId.ToString(), CaptureJson.Default.CounterMoved);
        Guid kept = Guid.CreateVersion7(), torn = Guid.CreateVersion7(), counter = Guid.CreateVersion7();
        // what is there before anybody reads is a snapshot
        await using (await ServiceHarness<TestDb>.StartAsync(name, database, kafka, _ => { }, cancellationToken: TestContext.Current.CancellationToken))
            await ExecuteAsync(database, $"INSERT INTO journals (id, entries) VALUES ('{kept}', '{{1}}'), ('{torn}', '{{7}}')");

        await using var service = await ServiceHarness<TestDb>.StartAsync(name, database, kafka, messaging => messaging
            .Captures("journals", journals, key: "id", row => new JournalKept(Guid.Parse(row.Text("id")), row.Text("entries")))
            .Captures("counters", counters, key: "id", row => new CounterMoved(Guid.Parse(row.Text("id")), int.Parse(row.Text("version"), CultureInfo.InvariantCulture))),
            cancellationToken: TestContext.Current.CancellationToken);
        await using (var reading = NpgsqlDataSource.Create(database))
        {
            await using var snapshots = reading.CreateCommand("SELECT count(*) FROM change_captures WHERE snapshot_at IS NOT NULL");
            await Eventually.BecomesTrueAsync(async () => await snapshots.ExecuteScalarAsync(TestContext.Current.CancellationToken) is 2L);
        }
        await ExecuteAsync(database, $"""
            BEGIN;
            UPDATE journals SET entries = entries || 2 WHERE id = '{kept}';
            INSERT INTO counters (id, version) VALUES ('{counter}', 1);
            DELETE FROM journals WHERE id = '{torn}';
            UPDATE counters SET version = 2;
            COMMIT
            """);

        using var topics = new TopicClient(kafka);
        object?[] EventsOf(IEnumerable<TopicRecord> records, Guid key) => [.. Once(records).Where(record => record.Key == key.ToString()).Select(record => record.Event)];
        var told = await topics.ReadUntilAsync(journals, records => Once(records).Count() == 4);
        Assert.Equal([new JournalKept(kept, "{1}"), new JournalKept(kept, "{1,2}")], EventsOf(told, kept));
        Assert.Equal([new JournalKept(torn, "{7}"), null], EventsOf(told, torn));
        Assert.Equal([new CounterMoved(counter, 1), new CounterMoved(counter, 2)], EventsOf(await topics.ReadUntilAsync(counters, records => Once(records).Count() == 2), counter));
    }

    /// <summary>What was not confirmed is told again, under the same id.</summary>
    private static IEnumerable<TopicRecord> Once(IEnumerable<TopicRecord> records) => records.DistinctBy(record => record.Id);

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
