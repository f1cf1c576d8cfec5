using System.Buffers.Binary;
using static Shop.KafkaBroker.Tests.LogFiles;

namespace Shop.KafkaBroker.Tests;

/// <summary>What is damaged while the broker runs, or cannot be read any more, costs what is there and nothing behind it.</summary>
public sealed class DamageInUseTests : DiskTests
{
    private const long Began = 1_700_000_000_000;

    [Theory]
    [InlineData(50)]
    [InlineData(99)] // the last one: what is appended later is behind it
    public void Damage_hides_nothing_that_is_behind_it_or_appended_later(int victim)
    {
        var log = Open("events");
        Append(log, 0, 100);
        DamageHeader(LogsOf("events").Single(), victim, header => header.AsSpan().Clear());

        Assert.Equal((victim, ErrorCode.CorruptMessage), ReadFrom(log, victim));
        Assert.Equal((100, ErrorCode.None), ReadFrom(log, victim + 1));
        Append(log, 100, 10);
        for (var offset = victim + 1; offset < 110; offset++)
            Assert.Equal((110, ErrorCode.None), ReadFrom(log, offset));
        Assert.Equal((victim, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Assert.Equal(Broker.LeaderEpoch, log.LeaderEpochAt(victim + 1));
        Assert.Single(Said.Lines, line => line.StartsWith("LogDamaged:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_batch_behind_a_gap_is_not_lost_with_the_one_behind_it()
    {
        var log = Open("catalog", new(SmallSegments) { ["cleanup.policy"] = "compact", ["min.cleanable.dirty.ratio"] = "0" });
        AppendWithGaps(log, 100);
        Broker.Clean();
        DamageHeader(LogsOf("catalog")[0], 20, header => header.AsSpan().Clear());

        Assert.Equal((19, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Assert.Equal((19, ErrorCode.CorruptMessage), ReadFrom(log, 17));
        Assert.Equal((100, ErrorCode.None), ReadFrom(log, 22));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_asks_by_time_begins_at_the_damage_rather_than_behind_it(bool header)
    {
        var log = Open("events");
        for (var i = 0; i < 100; i++)
            log.Append(Batches.Build($"{i}", Began + i));
        DamageHeader(LogsOf("events").Single(), 50, bytes =>
        {
            if (header)
                BinaryPrimitives.WriteInt64BigEndian(bytes, 77);
            else
                bytes[35] ^= 1; // the latest timestamp, of which only the checksum tells
        });

        Assert.Equal((40, Began + 40), log.FindTime(Began + 40));
        Assert.Equal((50, Began + 50), log.FindTime(Began + 50));
        Assert.Equal((50, Began + 60), log.FindTime(Began + 60));
        Assert.Null(log.FindTime(Began + 100));
        log.DeleteBefore(70);
        Assert.Equal((70, Began + 60), log.FindTime(Began + 60));
    }

    [Fact]
    public void A_segment_without_a_whole_batch_stays_as_long_as_what_follows_it()
    {
        Append(Open("events", new(SmallSegments) { ["retention.ms"] = "60000" }), 0, 100);
        Close();
        var files = LogsOf("events");
        File.WriteAllBytes(files[0], new byte[new FileInfo(files[0]).Length]);
        OpenBroker();
        var log = Broker.FindLog("events", 0)!;
        Broker.Clean();

        Assert.Equal(files, LogsOf("events"));
        Assert.Equal((0, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Time.Advance(TimeSpan.FromMinutes(2));
        Broker.Clean();
        Assert.Equal((100, 100), (log.LogStartOffset, log.NextOffset));
    }

    [Fact]
    public void What_the_disk_does_not_read_is_an_error_once_and_the_start_succeeds()
    {
        var disk = new UnreadableDisk();
        Append(Open("events", SmallSegments), 0, 100);
        Close();
        var files = LogsOf("events");
        disk.Lost = (files[0], 0, 100);
        foreach (var withIndex in new[] { true, false })
        {
            if (!withIndex)
                Array.ForEach(files, file => File.Delete(Path.ChangeExtension(file, ".index")));
            using var broker = new Broker(DataPath, new() { TimeProvider = Time, Logger = Said, Disk = disk });
            var log = broker.FindLog("events", 0)!;
            var next = int.Parse(Path.GetFileNameWithoutExtension(files[1]));
            Assert.NotEqual(ErrorCode.None, ReadFrom(log, 0).Error);
            Assert.Equal((100, ErrorCode.None), ReadFrom(log, next));
        }
        disk.Lost = (files[^1], 0, 100);
        for (var start = 0; start < 2; start++)
        {
            using var broker = new Broker(DataPath, new() { TimeProvider = Time, Logger = Said, Disk = disk });
            var log = broker.FindLog("events", 0)!;
            var (first, next) = (int.Parse(Path.GetFileNameWithoutExtension(files[^1])), (int)log.NextOffset);
            Assert.Equal(100 + start * 10, next);
            Append(log, next, 10);
            Assert.NotEqual(ErrorCode.None, ReadFrom(log, first).Error);
            Assert.Equal((next + 10, ErrorCode.None), ReadFrom(log, 100));
        }
    }

    [Fact]
    public void A_failing_read_is_said_once_for_each_place()
    {
        var disk = new UnreadableDisk();
        using var broker = new Broker(DataPath, new() { TimeProvider = Time, Logger = Said, Disk = disk });
        broker.CreateTopic("events", 1, new Dictionary<string, string>());
        var log = broker.FindLog("events", 0)!;
        Append(log, 0, 100);
        disk.Lost = (LogsOf("events").Single(), 0, 1000);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((0, ErrorCode.KafkaStorageError), ReadFrom(log, 0));
            Assert.Equal(-1, log.LeaderEpochAt(0));
            Assert.Throws<IOException>(() => log.EndOfEpoch(0));
            Assert.Throws<IOException>(() => log.FindTime(Began));
        }
        Assert.Single(Said.Lines, line => line.StartsWith("ReadFailed:", StringComparison.Ordinal));
    }
}
