using System.Text;
using Confluent.Kafka;
using Npgsql;
using Shop.Activity.CountingWindows;
using Shop.Activity.Tests.Hosting;
using Shop.Messaging.Consuming;

namespace Shop.Activity.Tests.CountingWindows;

/// <summary>An event that comes again is not counted again, whatever was in memory: by two instances, after a rollback, and when memory is full.</summary>
public sealed class CountedEventsTests(ShopFixture shops)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private readonly CountedEvents _one = new(), _other = new();
    private long _offset;

    [Fact]
    public async Task A_repetition_is_known_in_its_batch_in_the_next_one_and_by_another_instance()
    {
        await using var database = await shops.MigratedAsync();
        var (a, b, c) = (Record(1), Record(2), Record(3));

        Assert.Equal([a, b], await ClaimAsync(database, _one, a, b, Again(a)));
        Assert.Equal([c], await ClaimAsync(database, _one, Again(b), c, Again(c)));
        Assert.Empty(await ClaimAsync(database, _other, Again(a), Again(b), Again(c)));
        Assert.Empty(await ClaimAsync(database, new(), Again(c), Again(a)));
    }

    [Fact]
    public async Task What_was_rolled_back_counts_when_it_comes_again()
    {
        await using var database = await shops.MigratedAsync();
        var (a, b, c) = (Record(1), Record(2), Record(3));

        Assert.Equal([a], await ClaimAsync(database, _one, a));
        Assert.Equal([b], await ClaimAsync(database, _one, commit: false, b, Again(a)));
        Assert.Equal([b, c], await ClaimAsync(database, _one, b, c));
        // somebody else counts in between, as many times as this instance believed to have
        Assert.Equal(2, (await ClaimAsync(database, _one, commit: false, Record(4), Record(5))).Count);
        var d = Record(4);
        Assert.Equal([d], await ClaimAsync(database, _other, d));
        Assert.Empty(await ClaimAsync(database, _one, Again(d), Again(a), Again(b), Again(c)));
    }

    [Fact]
    public async Task Who_takes_over_knows_what_the_other_has_counted_meanwhile()
    {
        await using var database = await shops.MigratedAsync();
        var records = Enumerable.Range(0, 60).Select(i => Record(i * 5, partition: i % 3)).ToArray();

        for (var i = 0; i < records.Length; i++)
        {
            // with what came before, from anywhere
            var again = records[..i].Where((_, j) => (i + j) % 7 == 0).Select(Again);
            Assert.Equal([records[i]], await ClaimAsync(database, i % 4 < 2 ? _one : _other, [.. again, records[i]]));
        }
    }

    [Fact]
    public async Task Memory_is_bounded_and_what_it_has_forgotten_is_read_again()
    {
        await using var database = await shops.MigratedAsync();
        var many = Enumerable.Range(0, CountedEvents.MaxIds).Select(i => Record(i / 1_000)).ToArray();
        Assert.Equal(many.Length, (await ClaimAsync(database, _one, many)).Count);
        var later = Enumerable.Range(0, 5_000).Select(_ => Record(200)).ToArray();
        Assert.Equal(later.Length, (await ClaimAsync(database, _one, later)).Count);

        // the first of them have made room for the last
        Assert.Empty(await ClaimAsync(database, _one, Again(many[0]), Again(later[0]), Again(many[^1])));
        Assert.Empty(await ClaimAsync(database, _one, [.. many.Select(Again)]));
    }

    [Fact]
    public async Task Partitions_have_their_own_and_times_may_be_missing_or_absurd()
    {
        await using var database = await shops.MigratedAsync();
        ConsumedRecord[] records = [Record(1), Record(1, partition: 1), Timed(null), Timed(null), Timed("0001-01-01T00:00:00Z"), Timed("9999-12-31T23:59:59.9999999Z"), Record(2)];

        Assert.Equal(records, await ClaimAsync(database, _one, records));
        Assert.Empty(await ClaimAsync(database, _one, [.. records.Select(Again)]));
        Assert.Empty(await ClaimAsync(database, _other, [.. records.Select(Again)]));
    }

    /// <summary>A producer that stamps an event anew each time it sends it.</summary>
    [Fact]
    public async Task It_is_the_id_that_tells_and_not_the_time()
    {
        await using var database = await shops.MigratedAsync();
        var id = Guid.CreateVersion7();
        var first = Timed($"{Noon:O}", id: id);

        Assert.Equal([first], await ClaimAsync(database, _one, first, Timed($"{Noon.AddMinutes(1):O}", id: id)));
        Assert.Empty(await ClaimAsync(database, _one, Timed($"{Noon.AddHours(1):O}", id: id)));
        Assert.Empty(await ClaimAsync(database, _other, Timed(null, id: id)));
        // of the end of time, as far as 48 bits of milliseconds go
        var last = Timed($"{Noon:O}", id: new Guid("ffffffff-ffff-7fff-bfff-ffffffffffff"));
        Assert.Equal([last], await ClaimAsync(database, _one, last, Again(last)));
        Assert.Empty(await ClaimAsync(database, _other, Again(last)));
    }

    private static Task<List<ConsumedRecord>> ClaimAsync(NpgsqlDataSource database, CountedEvents counted, params ConsumedRecord[] records) => ClaimAsync(database, counted, commit: true, records);

    private static async Task<List<ConsumedRecord>> ClaimAsync(NpgsqlDataSource database, CountedEvents counted, bool commit, params ConsumedRecord[] records)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using NpgsqlBatch reads = new(connection, transaction), writes = new(connection, transaction);
        var fresh = await counted.ClaimAsync(records, reads, writes, cancellationToken);
        await writes.ExecuteNonQueryAsync(cancellationToken);
        if (commit)
            await transaction.CommitAsync(cancellationToken);
        return fresh;
    }

    private ConsumedRecord Record(int seconds, int partition = 0) => Timed($"{Noon.AddSeconds(seconds):O}", partition, Guid.CreateVersion7(Noon.AddSeconds(seconds)));

    private ConsumedRecord Timed(string? time, int partition = 0, Guid? id = null)
    {
        var headers = new Headers { { "ce_id", Encoding.UTF8.GetBytes($"{id ?? Guid.NewGuid()}") }, { "ce_type", "test"u8.ToArray() }, { "ce_source", "/test"u8.ToArray() } };
        if (time is not null)
            headers.Add("ce_time", Encoding.UTF8.GetBytes(time));
        return new("orders", partition, _offset++, "key", Noon, headers, []);
    }

    /// <summary>The same event, sent again: at another offset, later.</summary>
    private ConsumedRecord Again(ConsumedRecord record) => new(record.Topic, record.Partition, _offset++, record.Key, record.Timestamp.AddMinutes(1), record.Headers, record.Body);
}
