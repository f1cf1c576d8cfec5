using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Kafka;
using Shop.Messaging.Streams;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>Batches in a log that no client can read. No broker takes them any more, so the tests write them into its files.</summary>
public sealed class UnreadableBatchTests(PostgresFixture postgres)
{
    public static TheoryData<Broker, Damage> Both
    {
        get
        {
            var data = new TheoryData<Broker, Damage>();
            foreach (var broker in RunningBroker.Both)
            {
                foreach (var damage in Enum.GetValues<Damage>())
                    data.Add(new TheoryDataRow<Broker, Damage>(broker.Data, damage) { Skip = broker.Skip });
            }
            return data;
        }
    }

    [Long]
    [Theory, MemberData(nameof(Both))]
    public async Task What_is_behind_a_batch_that_cannot_be_read_is_handled_and_a_dead_letter_says_its_offsets(Broker broker, Damage damage)
    {
        var directory = Directory.CreateTempSubdirectory("unreadable-").FullName;
        try
        {
            await using var running = await RunningBroker.StartAsync(broker, directory);
            using var service = new JournalService($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), running.BootstrapServers);
            var journals = Journals.New(10);
            await using (var first = await service.StartAsync())
            {
                await first.HasLoggedAsync("PartitionsAssigned");
                await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));
                await service.HaveEntriesAsync(journals.Count);
            }
            var logs = BrokerFiles.LogsOf(service.Notes, directory);
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2, first: 2));
            var damaged = logs.Sum(log => BrokerFiles.DamageFrom(log.Key, log.Value, damage));
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 4));

            await using var second = await service.StartAsync();
            await service.HaveEntriesAsync(journals.Count * 2);

            foreach (var journal in journals)
                Assert.Equal([1, 4], await service.EntriesAsync(journal));
            var letters = await second.DeadLettersAsync();
            Assert.All(letters, letter => Assert.Contains("has nothing that can be read at the offsets", letter.Error, StringComparison.Ordinal));
            Assert.Equal(journals.Count * 2, damaged);
            // a range for each partition: from behind what was handled to its last offset, which the dead letter has as its own
            Assert.Equal(damaged, letters.Sum(letter => letter.Offset + 1 - long.Parse(letter.Key[(letter.Key.IndexOf('@') + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
            await second.HasLoggedAsync("RecordDeadLettered");

            // there is nothing to play again: the letter says so, and which offsets, until an operator gives it up
            Assert.Equal(HttpStatusCode.Conflict, await second.RedriveAsync(letters[0].Id));
            var redrive = await second.RedriveEndsAsync((await second.BeginRedriveAsync(new(Topic: service.Notes.Name))).Location);
            Assert.Equal((0, letters.Count), (redrive.Redriven, redrive.Failed));
            Assert.Equal(letters.Select(letter => (letter.Id, letter.Status, letter.Error)), (await second.DeadLettersAsync()).Select(letter => (letter.Id, letter.Status, letter.Error)));
            foreach (var letter in letters)
                Assert.Equal(HttpStatusCode.NoContent, await second.DiscardAsync(letter.Id));

            // and by those that read whole topics, as the warehouse does
            var readable = await ReadableAsync(second.Services.GetRequiredService<LogReaders>(), service.Notes);
            Assert.Equal(journals.Count * 2, readable.Count);
            Assert.Equal(readable.Distinct(), readable);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Long]
    [Theory, MemberData(nameof(RunningBroker.Both), MemberType = typeof(RunningBroker))]
    public async Task A_bit_that_fell_over_costs_its_own_batch_alone(Broker broker)
    {
        var directory = Directory.CreateTempSubdirectory("unreadable-").FullName;
        try
        {
            await using var running = await RunningBroker.StartAsync(broker, directory);
            using var service = new JournalService($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), running.BootstrapServers);
            await service.PrepareAsync();
            var journals = Journals.New(1);
            int[] kept = [1, 3, 5, 7, 9, 11];
            long[] readable = [0, 2, 4, 6, 8, 10], lost = [1, 3, 5, 7, 9];
            for (var number = 1; number <= kept[^1]; number++)
            {
                var logs = BrokerFiles.LogsOf(service.Notes, directory);
                await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: number));
                if (!kept.Contains(number))
                    Assert.Equal(1, logs.Sum(log => BrokerFiles.DamageFrom(log.Key, log.Value, Damage.Bit)));
            }

            await using var instance = await service.StartAsync();
            await service.HaveEntriesAsync(kept.Length);

            Assert.Equal(kept, await service.EntriesAsync(journals[0]));
            Assert.Equal(lost, (await instance.DeadLettersAsync()).Select(letter => letter.Offset).Order());
            Assert.Equal(readable, (await ReadableAsync(instance.Services.GetRequiredService<LogReaders>(), service.Notes)).Select(record => record.Offset));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task How_far_a_long_damage_goes_is_said_now_and_then()
    {
        var directory = Directory.CreateTempSubdirectory("unreadable-").FullName;
        try
        {
            await using var running = await RunningBroker.StartAsync(Broker.Embedded, directory);
            using var service = new JournalService($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), running.BootstrapServers);
            await service.PrepareAsync();
            var logs = BrokerFiles.LogsOf(service.Notes, directory);
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(Journals.New(1), 5));
            var damaged = logs.Single(log => BrokerFiles.DamageFrom(log.Key, log.Value, Damage.Bit) > 0).Key;
            var partition = int.Parse(Path.GetFileName(Path.GetDirectoryName(damaged)!), System.Globalization.CultureInfo.InvariantCulture);
            var said = new Lines();
            using var logging = LoggerFactory.Create(builder => builder.AddProvider(said));
            var probe = new ReadabilityProbe(KafkaConnection.Parse(service.Kafka), new MessagingOptions("tests", "one"), new HurryingTime(), logging.CreateLogger<ReadabilityProbe>());

            Assert.Equal(5, probe.FindReadable(new(service.Notes.Name, partition), 0, _ => !TestContext.Current.CancellationToken.IsCancellationRequested));

            // 20 s after 20 s, and each 30 s are enough
            Assert.Equal([0L, 2, 4], said.All.Select(line => long.Parse(Regex.Match(line, @"from offset 0 on: up to (\d+) ").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>What can be read of a topic.</summary>
    private static async Task<List<(int Partition, long Offset)>> ReadableAsync(LogReaders logs, Topic topic)
    {
        using var reader = logs.Open();
        var partitions = reader.PartitionsOf([topic]);
        using var deadline = new CancellationTokenSource(Eventually.DefaultDeadline);
        var records = new List<(int Partition, long Offset)>();
        await foreach (var batch in reader.ReadAsync(partitions.Select(partition => (topic.Name, partition.Partition, partition.First)), deadline.Token))
        {
            records.AddRange(batch.Select(record => (record.Partition, record.Offset)));
            if (batch.Count == 0 && partitions.All(partition => reader.IsPassed((topic.Name, partition.Partition), partition.End)))
                break;
        }
        return records;
    }

    /// <summary>Each look at it is 20 s after the one before.</summary>
    private sealed class HurryingTime : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += 20 * TimestampFrequency;
    }
}
