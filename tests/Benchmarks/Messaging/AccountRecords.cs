using System.Text.Json;
using Confluent.Kafka;

namespace Shop.Benchmarks.Messaging;

/// <summary>What is put into the topics, and what is found there.</summary>
internal static class AccountRecords
{
    /// <summary>Accounts that are opened before the first of them is changed: further apart than a batch.</summary>
    private const int Stride = 5_000;

    public static string Note { get; } = new('n', 220);

    /// <summary>Two records for each account: it is opened and changed.</summary>
    public static Task ProduceAsync(string bootstrap, int records, CancellationToken cancellationToken) =>
        BulkProducer.ProduceAsync(bootstrap, AccountService.Accounts.Name, Events(records), cancellationToken);

    /// <summary>Reads the published notes back.</summary>
    /// <exception cref="InvalidOperationException">There are fewer, or one key's are not in their order.</exception>
    public static void CheckOrder(string bootstrap, int expected)
    {
        using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "check", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Assign(Enumerable.Range(0, AccountService.Notes.Partitions).Select(partition => new TopicPartitionOffset(AccountService.Notes.Name, partition, Offset.Beginning)));
        var last = new Dictionary<string, int>();
        for (var count = 0; count < expected; count++)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(10)) ?? throw new InvalidOperationException($"Only {count} of {expected} events were published");
            using var body = JsonDocument.Parse(record.Message.Value);
            var number = body.RootElement.GetProperty("number").GetInt32();
            if (last.TryGetValue(record.Message.Key, out var before) && number <= before)
                throw new InvalidOperationException($"{record.Message.Key}: {number} came after {before}");
            last[record.Message.Key] = number;
        }
    }

    private static IEnumerable<(string, string, byte[])> Events(int records)
    {
        for (var first = 0; first < records / 2; first += Stride)
        {
            var ids = Enumerable.Range(0, Math.Min(Stride, (records / 2) - first)).Select(_ => Guid.CreateVersion7()).ToList();
            foreach (var id in ids)
                yield return (id.ToString(), "shop.accounts.account-opened.v1", JsonSerializer.SerializeToUtf8Bytes(new AccountOpened(id, 1, Note), AccountJson.Default.AccountOpened));
            foreach (var id in ids)
                yield return (id.ToString(), "shop.accounts.account-changed.v1", JsonSerializer.SerializeToUtf8Bytes(new AccountChanged(id, 2, Note), AccountJson.Default.AccountChanged));
        }
    }
}
