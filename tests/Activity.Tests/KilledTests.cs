using System.Text;
using Confluent.Kafka;
using Npgsql;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Tests.RebuildingFeed;
using Shop.AppHost.Running;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests;

/// <summary>Killed in the middle of counting, writing and merging, again and again, while instances come and go: everything counts once.</summary>
public sealed class KilledTests(ShopFixture shops)
{
    private const int Kills = 20, Rebalances = 5;

    [Long]
    [Fact]
    public async Task Windows_equal_a_recount_of_the_topics_and_the_warehouse_has_each_offset_once()
    {
        await using var broker = await RunningBroker.StartAsync(Broker.Embedded);
        using var folder = new TemporaryFolder();
        var database = await shops.CreateDatabaseAsync();
        var random = new Random(20261129);
        // before the service does: what is written meanwhile would make them, with one partition
        await Rebuilds.CreateTopicsAsync(broker);
        using var load = new TopicLoad(broker.BootstrapServers, seed: 3);
        var port = Ports.Free();
        ActivityProcess? other = null;
        var (writers, writerFile) = (0, Path.Combine(folder.Path, "_lock"));
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var process = Start(port);
            if (kill % (Kills / Rebalances) == 0)
            {
                if (other is not null)
                    await other.DisposeAsync();
                other = Start(0);
            }
            // at any moment of its life, starting and stopping included; every other one when somebody writes the warehouse
            if (kill % 2 == 1)
                await Eventually.BecomesTrueAsync(() => Task.FromResult(process.HasOpen(writerFile) || other!.HasOpen(writerFile)));
            var life = TimeSpan.FromMilliseconds(random.Next(500, 6_000));
            for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < life;)
            {
                await load.WriteAsync(20);
                // a few thousand records a second: what is written has to be counted again and again on a busy machine
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
            // the one that writes the warehouse, where one of them does already
            if (other!.HasOpen(writerFile))
            {
                await other.KillAsync();
                await other.DisposeAsync();
                other = Start(0);
                writers++;
            }
            else
            {
                writers += process.HasOpen(writerFile) ? 1 : 0;
                await process.KillAsync();
            }
        }
        await other!.DisposeAsync();
        Assert.InRange(writers, Kills / 2, Kills);

        await using var last = Start(port, mergeInterval: "00:00:10");
        var records = Read(broker.BootstrapServers);
        await Eventually.BecomesAsync(Recount(records), () => CountsAsync(database));
        using var warehouse = new WarehouseQuery(folder.Path);
        await Eventually.BecomesAsync(0, () => Task.FromResult(Math.Max(0, records.Count - warehouse.Records())));
        var expected = records.GroupBy(record => (record.Topic, record.Partition.Value)).Select(partition => $"{partition.Key.Topic} {partition.Key.Value} {partition.Count()} {partition.Count()} {partition.Sum(record => (long)(record.Message.Value?.Length ?? 0))}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, (await warehouse.ReadAsync("SELECT topic, partition, count(*), count(DISTINCT \"offset\"), sum(octet_length(data::BLOB)) FROM events WHERE topic IN ('orders', 'payments', 'shopper-activity') GROUP BY 1, 2")).Order(StringComparer.Ordinal));

        // merged at every opportunity while it is killed
        ActivityProcess Start(int at, string mergeInterval = "00:00:00.5") => ActivityProcess.Start(database, broker.BootstrapServers, at, ("Warehouse:Directory", folder.Path), ("Warehouse:MaxAge", "00:00:00.3"),
            ("Warehouse:MergeInterval", mergeInterval), ("Warehouse:MergedKept", "00:00:01"));
    }

    /// <summary>What windows must have, counted another way: from all records at once, by their ids.</summary>
    private static string Recount(IReadOnlyList<ConsumeResult<string, byte[]>> records)
    {
        var counts = new Dictionary<string, decimal>();
        var seen = new HashSet<string>();
        var submitted = new Dictionary<string, OrderSubmitted>();
        foreach (var record in records)
        {
            string Header(string name) => Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes(name));
            if (!seen.Add(Header("ce_id")))
                continue;
            var at = DateTimeOffset.Parse(Header("ce_time"), System.Globalization.CultureInfo.InvariantCulture);
            var written = record.Message.Timestamp.UtcDateTime;
            var isLate = (written - at.UtcDateTime).TotalHours > 1;
            var minute = (isLate ? written : at.UtcDateTime).ToString("MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture);
            void Add(string what, decimal value) => counts[$"{minute} {what}"] = counts.GetValueOrDefault($"{minute} {what}") + value;
            switch (Header("ce_type").Split('.')[2])
            {
                case "order-submitted":
                    submitted[record.Message.Key] = System.Text.Json.JsonSerializer.Deserialize(record.Message.Value, ContractsJson.Default.OrderSubmitted)!;
                    Add("submitted ", 1);
                    break;
                case "order-confirmed":
                    Add("confirmed ", 1);
                    var order = submitted[record.Message.Key];
                    Add($"revenue {order.Total.Currency}", order.Total.Amount);
                    foreach (var line in order.Lines)
                        Add($"sold {line.Sku}", line.Quantity);
                    break;
                case "order-cancelled": Add("cancelled ", 1); break;
                case "order-fulfilled": Add(isLate ? "late OrderFulfilled" : "fulfilled ", 1); break;
                case "payment-held": Add("held ", 1); break;
                case "product-viewed": Add("viewed ", 1); break;
                case "cart-changed" when System.Text.Json.JsonSerializer.Deserialize(record.Message.Value, ContractsJson.Default.CartChanged)!.Quantity > 0: Add("cart ", 1); break;
            }
        }
        return string.Join('\n', counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Key} {count.Value:0.00}"));
    }

    private static async Task<string> CountsAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT to_char(minute AT TIME ZONE 'UTC', 'MM-DD HH24:MI'), measure, dimension, sum(value) FROM window_counts GROUP BY 1, 2, 3");
        var counts = new List<string>();
        try
        {
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                counts.Add($"{reader.GetString(0)} {reader.GetString(1)} {reader.GetString(2)} {reader.GetDecimal(3):0.00}");
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // not migrated yet
        }
        return string.Join('\n', counts.Order(StringComparer.Ordinal));
    }

    private static List<ConsumeResult<string, byte[]>> Read(string kafka)
    {
        using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig { BootstrapServers = kafka, GroupId = "recount", EnableAutoCommit = false }).Build();
        var ends = new[] { Topics.Orders, Topics.Payments, Topics.ShopperActivity }.SelectMany(topic => Enumerable.Range(0, topic.Partitions).Select(partition => new TopicPartition(topic.Name, partition)))
            .ToDictionary(partition => partition, partition => consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(30)).High.Value);
        consumer.Assign(ends.Keys.Select(partition => new TopicPartitionOffset(partition, Offset.Beginning)));
        var records = new List<ConsumeResult<string, byte[]>>();
        var left = ends.Values.Sum();
        while (left > 0)
        {
            if (consumer.Consume(TimeSpan.FromSeconds(30)) is { } record)
                records.Add(record);
            left--;
        }
        return records;
    }
}
