using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>Every record, whatever its bytes, is handled, passed over, a dead letter, or refused by the broker; what is behind it is handled.</summary>
public sealed class ArbitraryRecordTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private const int Records = 1_500, Partitions = 3;

    private static readonly long[] Timestamps =
        [0, -1, 1, long.MaxValue, long.MinValue, 1_700_000_000_000, 1_700_000_000_000_000, 253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_000, -62_135_596_800_001];

    private static readonly string[] HeaderNames =
        ["ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_causationid", "traceparent", "MT-Scheduling-TokenId", "content-type", "", "x", "ü\u0001"];

    public static TheoryData<Broker> Both => RunningBroker.Both;

    [Theory, MemberData(nameof(Both))]
    public async Task Whatever_is_on_the_topic_nothing_behind_it_waits(Broker broker)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, broker);
        await using var instance = await service.StartAsync();
        await instance.HasLoggedAsync("PartitionsAssigned");
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");

        var accepted = await ProduceAsync(service, new(seed));
        // good events behind them, on each partition
        var journals = Journals.New(60);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));

        Assert.InRange(accepted, 1, Records);
        await Eventually.BecomesAsync(journals.Count, () => service.QueryAsync(db => Task.FromResult(db.Journals.Count(journal => journals.Contains(journal.Id)))));
        Assert.DoesNotContain("ConsumerFailed", instance.LoggedEvents);
        Assert.DoesNotContain("BatchFailed", instance.LoggedEvents);
    }

    /// <returns>The number of records that the broker took.</returns>
    private static async Task<int> ProduceAsync(JournalService service, Random random)
    {
        var accepted = 0;
        // a batch for each: one record that the broker refuses takes the others of its batch with it
        using var producer = new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig { BootstrapServers = service.Kafka, LingerMs = 0, BatchNumMessages = 1, MessageTimeoutMs = 120_000 })
            .SetLogHandler((_, _) => { }).Build();
        var known = new[] { Guid.CreateVersion7().ToString(), "k", "" };
        var reports = new List<Task>();
        for (var number = 0; number < Records; number++)
        {
            var message = new Message<byte[]?, byte[]?>
            {
                Key = random.Next(4) switch { 0 => null, 1 => Encoding.UTF8.GetBytes(known[random.Next(known.Length)]), _ => Bytes(random, 40) },
                Value = random.Next(5) switch { 0 => null, 1 => Bytes(random, 20_000), 2 => "{}"u8.ToArray(), 3 => "{\"journalId\":\"\\ud800\",\"number\":1}"u8.ToArray(), _ => Bytes(random, 60) },
                Timestamp = new Timestamp(random.Next(3) == 0 ? Timestamps[random.Next(Timestamps.Length)] : random.NextInt64(), TimestampType.CreateTime),
                Headers = HeadersOf(service, random),
            };
            if (random.Next(2) == 0)
                message.Timestamp = Timestamp.Default;
            try
            {
                reports.Add(producer.ProduceAsync(new TopicPartition(service.Notes.Name, random.Next(Partitions)), message));
            }
            catch (Exception e) when (e is ProduceException<byte[]?, byte[]?> or ArgumentException)
            {
                // the client itself refuses it
            }
        }
        foreach (var report in reports)
        {
            try
            {
                await report;
                accepted++;
            }
            catch (ProduceException<byte[]?, byte[]?>)
            {
                // the broker refuses it
            }
        }
        return accepted;
    }

    private static Headers HeadersOf(JournalService service, Random random)
    {
        var headers = new Headers();
        // half of them are events but for one thing or two
        if (random.Next(2) == 0)
        {
            headers.Add("ce_id", Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()));
            headers.Add("ce_type", Encoding.UTF8.GetBytes($"shop.{service.Notes}.noted.v1"));
            headers.Add("ce_source", "/tests"u8.ToArray());
        }
        for (var i = random.Next(4); i > 0; i--)
            headers.Add(HeaderNames[random.Next(HeaderNames.Length)], random.Next(4) == 0 ? null : Bytes(random, random.Next(10) == 0 ? 9_000 : 30));
        return headers;
    }

    private static byte[] Bytes(Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        // NULs and halves of surrogate pairs in UTF-8, which random bytes rarely hold
        if (bytes.Length > 4 && random.Next(3) == 0)
            ((ReadOnlySpan<byte>)[0, 0xED, 0xA0, 0x80]).CopyTo(bytes);
        return bytes;
    }
}
