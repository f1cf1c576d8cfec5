using System.Buffers.Binary;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Shop.Contracts;
using Shop.Messaging.Streams;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>Batches in a log that no client can read. No broker takes them any more, so the tests write them into its files.</summary>
public sealed class UnreadableBatchTests(PostgresFixture postgres)
{
    private const int HeaderSize = 61, AttributesAt = 21, Lz4 = 3;

    public static TheoryData<Broker, bool> Both
    {
        get
        {
            var data = new TheoryData<Broker, bool>();
            foreach (var broker in RunningBroker.Both)
            {
                foreach (var compressed in new[] { true, false })
                    data.Add(new TheoryDataRow<Broker, bool>(broker.Data, compressed) { Skip = broker.Skip });
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_is_behind_a_batch_that_cannot_be_read_is_handled_and_a_dead_letter_says_its_offsets(Broker broker, bool compressed)
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
            var logs = Directory.GetFiles(directory, "*.log", SearchOption.AllDirectories).Where(file => file.Contains(service.Notes.Name, StringComparison.Ordinal))
                .ToDictionary(file => file, Length);
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 2, first: 2));
            var damaged = logs.Sum(log => Damage(log.Key, log.Value, compressed));
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
            Assert.Equal(journals.Count * 2, await ReadableAsync(second.Services.GetRequiredService<LogReaders>(), service.Notes));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<int> ReadableAsync(LogReaders logs, Topic topic)
    {
        using var reader = logs.Open();
        var partitions = reader.PartitionsOf([topic]);
        using var deadline = new CancellationTokenSource(Eventually.DefaultDeadline);
        var count = 0;
        await foreach (var batch in reader.ReadAsync(partitions.Select(partition => (topic.Name, partition.Partition, partition.First)), deadline.Token))
        {
            count += batch.Count;
            if (batch.Count == 0 && partitions.All(partition => reader.IsPassed((topic.Name, partition.Partition), partition.End)))
                break;
        }
        return count;
    }

    /// <summary>The end of a log's last batch; a file may be longer.</summary>
    private static int Length(string file)
    {
        var (log, position) = (Read(file), 0);
        while (SizeAt(log, position) is { } size)
            position += size;
        return position;
    }

    /// <summary>Makes every batch from <paramref name="position"/> on one of which only the header can be read.</summary>
    /// <returns>The records that were in them.</returns>
    private static int Damage(string file, int position, bool compressed)
    {
        var (log, records) = (Read(file), 0);
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        for (; SizeAt(log, position) is { } size; position += size)
        {
            records += BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(position + 57));
            stream.Position = position + AttributesAt;
            if (compressed)
                stream.Write([0, Lz4]);
            stream.Position = position + HeaderSize;
            stream.Write([.. Enumerable.Repeat<byte>(0xFF, size - HeaderSize)]);
        }
        return records;
    }

    private static int? SizeAt(byte[] log, int position) =>
        position + HeaderSize <= log.Length && BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(position + 8)) is > 0 and var length ? 12 + length : null;

    private static byte[] Read(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
