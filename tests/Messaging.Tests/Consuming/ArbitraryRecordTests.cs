using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>Every record, whatever its bytes, is handled, passed over, a dead letter, or refused by the broker; what is behind it is handled.</summary>
public sealed class ArbitraryRecordTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Records = 1_500, Partitions = 3, Largest = 1_100_000;

    private static readonly long[] Timestamps =
        [0, -1, 1, long.MaxValue, long.MinValue, 1_700_000_000_000, 1_700_000_000_000_000, 253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_000, -62_135_596_800_001];

    private static readonly string[] HeaderNames =
        ["ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_causationid", "traceparent", "MT-Scheduling-TokenId", "content-type", "", "x", "ü\u0001"];

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task Whatever_is_on_the_topic_nothing_behind_it_waits(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");

        var (accepted, poison) = await ProduceAsync(service, new(seed));
        // good events behind them, on each partition
        var journals = Journals.New(60);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));

        // some are too large for any broker, and what looks like an event and has no body of one has to be kept
        Assert.InRange(accepted, Records / 3, Records - 1);
        Assert.InRange(poison, Records / 60, accepted);
        await Eventually.BecomesAsync(journals.Count, () => service.QueryAsync(db => Task.FromResult(db.Journals.Count(journal => journals.Contains(journal.Id)))));
        Assert.InRange(await instance.CountAsync("dead_letters") + await instance.CountAsync("parked_records"), poison, accepted);
        Assert.DoesNotContain("WorkerFailed", instance.LoggedEvents);
        Assert.DoesNotContain("BatchFailed", instance.LoggedEvents);
    }

    /// <returns>The number of records that the broker took, and of those among them which cannot be handled for certain.</returns>
    private static async Task<(int Accepted, int Poison)> ProduceAsync(JournalService service, Random random)
    {
        var (accepted, poison) = (0, 0);
        // a batch for each: one record that the broker refuses takes the others of its batch with it
        using var producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = service.Kafka, LingerMs = 0, BatchNumMessages = 1, MessageTimeoutMs = 600_000, MessageMaxBytes = 2 * Largest })
            .SetLogHandler((_, _) => { }).Build();
        var known = new[] { Guid.CreateVersion7().ToString(), "k", "" };
        var reports = new List<(Task Report, bool IsPoison)>();
        for (var number = 0; number < Records; number++)
        {
            var (headers, isEvent) = HeadersOf(service, random);
            var value = random.Next(60) == 0 ? Bytes(random, Largest, Largest - 200_000) : random.Next(5) switch
            {
                0 => null,
                1 => Bytes(random, 20_000),
                2 => "{}"u8.ToArray(),
                3 => "{\"journalId\":\"\\ud800\",\"number\":1}"u8.ToArray(),
                _ => Bytes(random, 60),
            };
            var message = new Message<byte[]?, byte[]?>
            {
                Key = random.Next(4) switch { 0 => null, 1 => Encoding.UTF8.GetBytes(known[random.Next(known.Length)]), _ => Bytes(random, 40) },
                Value = value,
                Timestamp = new Timestamp(random.Next(3) == 0 ? Timestamps[random.Next(Timestamps.Length)] : random.NextInt64(), TimestampType.CreateTime),
                Headers = headers,
            };
            if (random.Next(2) == 0)
                message.Timestamp = Timestamp.Default;
            try
            {
                reports.Add((producer.ProduceAsync(new TopicPartition(service.Notes.Name, random.Next(Partitions)), message), isEvent && value is not (null or [.., (byte)'}'])));
            }
            catch (Exception e) when (e is ProduceException<byte[]?, byte[]?> or ArgumentException)
            {
                // the client itself refuses it
            }
        }
        foreach (var (report, isPoison) in reports)
        {
            try
            {
                await report;
                accepted++;
                poison += isPoison ? 1 : 0;
            }
            catch (ProduceException<byte[]?, byte[]?>)
            {
                // the broker refuses it
            }
        }
        return (accepted, poison);
    }

    /// <returns>Headers, and whether they are those of an event and nothing else.</returns>
    private static (Headers Headers, bool IsEvent) HeadersOf(JournalService service, Random random)
    {
        var headers = new Headers();
        // half of them are events but for one thing or two
        var isEvent = random.Next(2) == 0;
        if (isEvent)
        {
            headers.Add("ce_id", Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()));
            headers.Add("ce_type", Encoding.UTF8.GetBytes($"shop.{service.Notes}.noted.v1"));
            headers.Add("ce_source", "/tests"u8.ToArray());
        }
        var others = random.Next(100) == 0 ? 500 : random.Next(4);
        for (var i = others; i > 0; i--)
        {
            var name = random.Next(10) == 0 ? new string((char)random.Next(1, 0xD800), random.Next(1, 300)) : HeaderNames[random.Next(HeaderNames.Length)];
            headers.Add(name, random.Next(4) == 0 ? null : Bytes(random, random.Next(10) == 0 ? 9_000 : 30));
        }
        return (headers, isEvent && others == 0);
    }

    private static byte[] Bytes(Random random, int most, int least = 0)
    {
        var bytes = new byte[random.Next(least, most)];
        random.NextBytes(bytes);
        // NULs and halves of surrogate pairs in UTF-8, which random bytes rarely hold
        if (bytes.Length > 4 && random.Next(3) == 0)
            ((ReadOnlySpan<byte>)[0, 0xED, 0xA0, 0x80]).CopyTo(bytes);
        return bytes;
    }
}
