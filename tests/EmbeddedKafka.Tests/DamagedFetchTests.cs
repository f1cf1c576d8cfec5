using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

/// <summary>What clients hear of a damaged partition, and of those that they ask for with it.</summary>
public sealed class DamagedFetchTests : IAsyncLifetime
{
    private const int Count = 20;

    private readonly TemporaryDirectory _data = new();
    private readonly long _began = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    private readonly UnreadableDisk _disk = new();
    private EmbeddedKafka _kafka = null!;

    private string LogFile => Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single(file => file.Contains("damaged-", StringComparison.Ordinal));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _kafka = await EmbeddedKafka.StartAsync(new() { DataDirectory = _data.Path, Disk = _disk }, Cancelled);
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);
        foreach (var topic in new[] { "damaged", "whole" })
        {
            await Clients.CreateTopicAsync(_kafka.BootstrapServers, topic);
            for (var i = 0; i < Count; i++)
                Assert.Equal((ErrorCode.None, i), await client.ProduceAsync(topic, Batches.Build($"{i}", _began + i)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _kafka.DisposeAsync();
        _data.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_damaged_partition_gets_error_2_and_the_others_are_served(bool cut)
    {
        if (cut)
            Change(log => log.SetLength(log.Length / 2)); // somebody cuts the file under the running broker
        else
            Overwrite(batch: 10, from: 0, [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf4]);
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);

        Assert.Equal([(ErrorCode.None, 10), (ErrorCode.None, 20)], await FetchAsync(client, 0));
        Assert.Equal([(ErrorCode.CorruptMessage, 0), (ErrorCode.None, 10)], await FetchAsync(client, 10));
        Assert.Equal([cut ? (ErrorCode.CorruptMessage, 0) : (ErrorCode.None, 5), (ErrorCode.None, 5)], await FetchAsync(client, 15));
        Assert.Equal([(ErrorCode.None, 10), (ErrorCode.None, 14)], await FindTimeAsync(client, _began + 14));
        Assert.Equal([(ErrorCode.None, 4), (ErrorCode.None, 4)], await FindTimeAsync(client, _began + 4));
    }

    [Fact]
    public async Task A_partition_that_the_disk_does_not_read_gets_error_56_and_the_others_are_served()
    {
        _disk.Lost = (LogFile, 0, 100);
        await using var client = await WireClient.ConnectAsync(_kafka.BootstrapServers);

        Assert.Equal([(ErrorCode.KafkaStorageError, 0), (ErrorCode.None, 20)], await FetchAsync(client, 0));
        Assert.Equal([(ErrorCode.KafkaStorageError, -1), (ErrorCode.None, 4)], await FindTimeAsync(client, _began + 4));
    }

    /// <summary>What the shop's consumers rely on: what check.crcs does for them, and that a broker does not look at checksums when it is asked for records.</summary>
    [Fact]
    public void A_record_that_is_not_what_was_written_is_noticed_by_a_client_that_looks_at_checksums()
    {
        Overwrite(batch: 10, from: 67, "?"u8.ToArray()); // within the key

        Assert.Equal(Enumerable.Range(0, Count).Select(i => i == 10 ? "k?y 10" : $"key {i}"), ReadToEnd(looks: false, from: 0, out var error));
        Assert.Null(error);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"key {i}"), ReadToEnd(looks: true, from: 0, out error));
        Assert.Equal((Confluent.Kafka.ErrorCode.Local_BadMsg, 10), (error!.Error.Code, error.ConsumerRecord.Offset.Value));
        Assert.Equal(Enumerable.Range(11, 9).Select(i => $"key {i}"), ReadToEnd(looks: true, from: 11, out error));
        Assert.Null(error);
    }

    [Fact]
    public void A_client_hears_of_a_batch_that_the_broker_cannot_find()
    {
        Overwrite(batch: 10, from: 0, [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf4]);

        Assert.Equal(10, ReadToEnd(looks: true, from: 0, out var error).Count);
        Assert.Equal(Confluent.Kafka.ErrorCode.InvalidMsg, error!.Error.Code);
    }

    /// <summary>Reads to the last record, or to the first error.</summary>
    private List<string> ReadToEnd(bool looks, long from, out ConsumeException? error)
    {
        var seen = new List<string>();
        error = null;
        using var consumer = Clients.Consumer(_kafka.BootstrapServers, "readers", config => config.CheckCrcs = looks);
        consumer.Assign(new TopicPartitionOffset("damaged", 0, from));
        for (var deadline = DateTime.UtcNow.AddMinutes(2); DateTime.UtcNow < deadline && error is null && (seen.Count == 0 || seen[^1] != $"key {Count - 1}");)
        {
            try
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                    seen.Add($"{record.Message.Key} {record.Message.Value}");
            }
            catch (ConsumeException e)
            {
                error = e;
            }
        }
        return seen;
    }

    /// <summary>Fetches both topics from an offset on: the error and the number of batches of each.</summary>
    private static async Task<(ErrorCode Error, int Batches)[]> FetchAsync(WireClient client, long offset)
    {
        var answer = await client.SendAsync(ApiKey.Fetch, 4, w =>
        {
            w.Int32(-1);
            w.Int32(1000);
            w.Int32(1);
            w.Int32(1 << 20);
            w.Int8(0);
            w.Array(["damaged", "whole"], (w, topic) =>
            {
                w.String(topic);
                w.ArrayLength(1);
                w.Int32(0);
                w.Int64(offset);
                w.Int32(1 << 20);
            });
        });
        answer.Int32();
        return answer.Array(6, r => (r.String(), r.Array(1, r =>
        {
            r.Int32();
            var error = (ErrorCode)r.Int16();
            r.Int64();
            r.Int64();
            r.Int32(); // no aborted transactions
            return (error, CountBatches(r.Bytes().Span));
        })[0]).Item2);
    }

    private static int CountBatches(ReadOnlySpan<byte> batches)
    {
        var count = 0;
        for (; batches.Length > 0; batches = batches[RecordBatch.Size(batches)..])
            count++;
        return count;
    }

    private static async Task<(ErrorCode Error, long Offset)[]> FindTimeAsync(WireClient client, long timestamp)
    {
        var answer = await client.SendAsync(ApiKey.ListOffsets, 1, w =>
        {
            w.Int32(-1);
            w.Array(["damaged", "whole"], (w, topic) =>
            {
                w.String(topic);
                w.ArrayLength(1);
                w.Int32(0);
                w.Int64(timestamp);
            });
        });
        return answer.Array(6, r => (r.String(), r.Array(1, r =>
        {
            r.Int32();
            var error = (ErrorCode)r.Int16();
            r.Int64();
            return (error, r.Int64());
        })[0]).Item2);
    }

    private void Overwrite(int batch, int from, byte[] bytes) => Change(log =>
    {
        var header = new byte[RecordBatch.HeaderSize];
        for (var position = 0L; ; position += RecordBatch.Size(header))
        {
            log.Position = position;
            log.ReadExactly(header);
            if (RecordBatch.BaseOffset(header) < batch)
                continue;
            log.Position = position + from;
            log.Write(bytes);
            return;
        }
    });

    private void Change(Action<FileStream> change)
    {
        using var log = File.Open(LogFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        change(log);
    }
}
