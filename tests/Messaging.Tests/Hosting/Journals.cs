using System.Text.Json.Serialization;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Testing;

namespace Shop.Messaging.Tests.Hosting;

public sealed record Noted(Guid JournalId, int Number);
public sealed record Recorded(Guid JournalId, int Number, int Position);
public sealed record NobodyCares(Guid JournalId);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Noted))]
[JsonSerializable(typeof(Recorded))]
[JsonSerializable(typeof(NobodyCares))]
public sealed partial class JournalJson : JsonSerializerContext;

/// <summary>Shows every effect and its order: what was noted under a key, as it was handled.</summary>
public sealed class Journal
{
    public Guid Id { get; set; }
    public List<int> Entries { get; set; } = [];
}

/// <summary>An aggregate that endpoints of several instances change: its version counts the changes.</summary>
public sealed class Counter
{
    public Guid Id { get; set; }
    public int Version { get; set; }
}

/// <summary>What a test does in the handlers of one instance.</summary>
public sealed class Hooks
{
    /// <summary>Runs in the middle of the handler, when it has changed its journal: may wait, throw or use the scope's database.</summary>
    public Func<Noted, TestDb, Task>? OnNoted { get; set; }

    /// <summary>Runs before a batch's handlers.</summary>
    public Action<IEnumerable<Noted>>? OnPrefetch { get; set; }
}

/// <summary>Writes what was noted into its journal, and publishes that it did.</summary>
public sealed class JournalKeeper(TestDb db, Hooks hooks) : IConsumer<Noted>
{
    public async Task Consume(ConsumeContext<Noted> context)
    {
        var noted = context.Message;
        var journal = db.Journals.Local.FindEntry(noted.JournalId)?.Entity ?? db.Add(new Journal { Id = noted.JournalId }).Entity;
        journal.Entries.Add(noted.Number);
        if (hooks.OnNoted is { } hook)
            await hook(noted, db);
        await context.Publish(new Recorded(noted.JournalId, noted.Number, journal.Entries.Count));
    }
}

public sealed class JournalPrefetch(TestDb db, Hooks hooks) : IBatchPrefetch
{
    public async Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken)
    {
        hooks.OnPrefetch?.Invoke(messages.OfType<Noted>());
        var ids = messages.OfType<Noted>().Select(noted => noted.JournalId).Distinct().ToArray();
        await db.Journals.FromSql($"SELECT * FROM journals WHERE id = ANY({ids}) ORDER BY id FOR UPDATE").LoadAsync(cancellationToken);
    }
}

/// <summary>A service that keeps journals: its topics and database, for one test. Start as many instances as needed.</summary>
public sealed class JournalService : IDisposable
{
    private readonly DbContextOptions<TestDb> _options;

    public JournalService(string name, string database, string kafka)
    {
        (Name, Database, Kafka) = (name, database, kafka);
        Notes = new Topic($"{name}-notes", 3)
            .With(e => e.JournalId.ToString(), JournalJson.Default.Noted)
            .With(e => e.JournalId.ToString(), JournalJson.Default.NobodyCares);
        Records = new Topic($"{name}-records", 3).With(e => e.JournalId.ToString(), JournalJson.Default.Recorded);
        Topics = new(kafka);
        _options = new DbContextOptionsBuilder<TestDb>().UseNpgsql(database).UseSnakeCaseNamingConvention().Options;
    }

    public string Name { get; }
    public string Database { get; }
    public string Kafka { get; }
    public Topic Notes { get; }
    public Topic Records { get; }
    public TopicClient Topics { get; }

    /// <summary>The consumer group and endpoint that handle notes.</summary>
    public string Group => $"{Name}.keeper";

    public static async Task<JournalService> CreateAsync(PostgresFixture postgres, BrokerFixture brokers, Broker broker) => new(
        $"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), (await brokers.GetAsync(broker)).BootstrapServers);

    /// <summary>Starts an instance; its connection strings may lead through a proxy, or say more than the address.</summary>
    public Task<ServiceHarness<TestDb>> StartAsync(Hooks? hooks = null, string? database = null, string? kafka = null, Action<IServiceCollection>? configure = null) =>
        ServiceHarness<TestDb>.StartAsync(Name, database ?? Database, kafka ?? Kafka, Declare, services =>
        {
            services.AddSingleton(hooks ?? new());
            configure?.Invoke(services);
        }, TestContext.Current.CancellationToken);

    /// <summary>Makes tables and topics, for tests that start with a process or with events on a topic.</summary>
    public async Task PrepareAsync()
    {
        await using var instance = await StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
    }

    /// <summary>Reads the database past all instances, of which none may run or reach it.</summary>
    public async Task<T> QueryAsync<T>(Func<TestDb, Task<T>> query)
    {
        await using var db = new TestDb(_options, outbox: null!);
        return await query(db);
    }

    /// <summary>The number that a query gives.</summary>
    public async Task<long> CountAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Waits until the journals have as many entries together.</summary>
    public Task HaveEntriesAsync(int count) =>
        Eventually.BecomesAsync(count, () => QueryAsync(db => db.Journals.SumAsync(journal => journal.Entries.Count)));

    public Task<List<int>> EntriesAsync(Guid id) =>
        QueryAsync(db => db.Journals.Where(journal => journal.Id == id).Select(journal => journal.Entries).SingleAsync());

    /// <summary>Every journal has 1 to <paramref name="count"/>, each once and in order, and so has the log of what was recorded.</summary>
    public async Task HaveExactlyAsync(IReadOnlyCollection<Guid> journals, int count)
    {
        await HaveEntriesAsync(journals.Count * count);
        var expected = Enumerable.Range(1, count).ToList();
        var stored = await QueryAsync(db => db.Journals.ToDictionaryAsync(journal => journal.Id, journal => journal.Entries));
        Assert.Equal(journals.ToHashSet(), stored.Keys.ToHashSet());
        Assert.All(stored.Values, entries => Assert.Equal(expected, entries));

        await Eventually.BecomesAsync(0, () => CountAsync("SELECT count(*) FROM outbox"));
        var recorded = (await Topics.ReadAsync(Records)).DistinctBy(record => record.Id).Select(record => (Recorded)record.Event!).ToLookup(e => e.JournalId);
        Assert.All(journals, id => Assert.Equal(expected.Select(n => (n, n)), recorded[id].Select(e => (e.Number, e.Position))));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM dead_letters"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM offset_regressions"));
    }

    public void Declare(MessagingBuilder messaging) => messaging
        .Produces(Notes, Records)
        .Endpoint("keeper", endpoint => endpoint.Consumes(Notes).Consumer<JournalKeeper>().Prefetch<JournalPrefetch>());

    public void Dispose() => Topics.Dispose();
}

internal static class Journals
{
    /// <summary>The numbers <c>1</c> to <paramref name="count"/>, noted in each journal, in turns.</summary>
    public static IEnumerable<Noted> Notes(IReadOnlyCollection<Guid> journals, int count, int first = 1) =>
        Enumerable.Range(first, count).SelectMany(number => journals.Select(id => new Noted(id, number)));

    public static List<Guid> New(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7())];
}
