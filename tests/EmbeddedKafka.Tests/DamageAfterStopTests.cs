using System.Buffers.Binary;
using static Shop.KafkaBroker.Tests.LogFiles;

namespace Shop.KafkaBroker.Tests;

/// <summary>What a start makes of files that were damaged since the broker was stopped: the mark of a clean stop says what has to be there.</summary>
public sealed class DamageAfterStopTests : DiskTests
{
    private static readonly Dictionary<string, string> Compacted = new()
    {
        ["segment.bytes"] = "2000",
        ["segment.ms"] = "1000",
        ["cleanup.policy"] = "compact",
        ["min.cleanable.dirty.ratio"] = "0",
    };

    [Fact]
    public void A_start_that_fails_leaves_to_the_next_what_a_clean_stop_said()
    {
        Append(Open("whole"), 0, 100);
        Append(Open("damaged"), 0, 100);
        Append(Open("refused"), 0, 100);
        Close();
        DamageHeader(LogsOf("damaged").Single(), 50, header => header.AsSpan().Clear());
        var refused = LogsOf("refused").Single();
        var before = File.ReadAllBytes(refused);
        DamageHeader(refused, 99, header => BinaryPrimitives.WriteInt64BigEndian(header, 120)); // nobody knows where that log ended
        File.Delete(Path.Combine(Path.GetDirectoryName(refused)!, "clean"));
        var whole = FilesOf("whole");

        Assert.Throws<InvalidDataException>(OpenBroker);
        Assert.Equal(3, whole.Count);
        Assert.Equal(whole, FilesOf("whole"));
        File.WriteAllBytes(refused, before);
        OpenBroker();
        Assert.Equal((50, ErrorCode.CorruptMessage), ReadFrom(Broker.FindLog("damaged", 0)!, 0));
        Assert.Equal((100, ErrorCode.None), ReadFrom(Broker.FindLog("damaged", 0)!, 51));
        Assert.Equal(["00000000000000000000.log"], FilesOf("whole").Keys);
        Assert.All(["whole", "damaged", "refused"], topic => Append(Broker.FindLog(topic, 0)!, 100, 10));
    }

    [Theory]
    [InlineData(0)] // within its offset
    [InlineData(10)] // its length
    [InlineData(65)] // what its checksum covers
    public void The_last_batch_of_a_closed_log_is_no_torn_tail(int damaged)
    {
        Append(Open("events"), 0, 100);
        Close();
        var file = LogsOf("events").Single();
        Flip(file, PositionOf(file, 99) + damaged);
        var bytes = File.ReadAllBytes(file);
        foreach (var clean in new[] { true, true, false })
        {
            OpenBroker();
            var log = Broker.FindLog("events", 0)!;
            Assert.Equal(bytes, ReadShared(file));
            Assert.Equal((99, ErrorCode.CorruptMessage), ReadFrom(log, 0));
            var next = (int)log.NextOffset;
            Append(log, next, 10);
            Assert.Equal((next + 10, ErrorCode.None), ReadFrom(log, 100));
            if (clean)
                Close();
            else
                Kill();
        }
        OpenBroker();
        Assert.Equal(130, Broker.FindLog("events", 0)!.NextOffset);
    }

    [Fact]
    public void After_a_kill_a_whole_batch_at_another_offset_is_no_torn_tail()
    {
        Append(Open("events"), 0, 100);
        Kill();
        var file = LogsOf("events").Single();
        DamageHeader(file, 99, header => BinaryPrimitives.WriteInt64BigEndian(header, 120));
        var bytes = File.ReadAllBytes(file);

        Assert.Throws<InvalidDataException>(OpenBroker);
        Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_compacted_segment_that_became_the_last_keeps_what_is_behind_its_gaps(bool clean)
    {
        var log = Open("catalog", Compacted);
        AppendWithGaps(log, 100);
        Time.Advance(TimeSpan.FromSeconds(2));
        Broker.Clean();
        var compacted = Batches.ReadAll(log);
        Close();
        var files = LogsOf("catalog");
        Assert.Equal(0, new FileInfo(files[^1]).Length);
        File.Delete(files[^1]);
        foreach (var file in files)
            File.Delete(Path.ChangeExtension(file, ".index"));
        if (!clean)
            File.Delete(Path.Combine(Path.GetDirectoryName(files[0])!, "clean"));
        OpenBroker();

        Assert.InRange(compacted.Count, 50, 60);
        Assert.Equal(compacted, Batches.ReadAll(Broker.FindLog("catalog", 0)!));
        Assert.Equal(100, Broker.FindLog("catalog", 0)!.NextOffset);
    }

    [Fact]
    public void A_producer_whose_only_batch_is_lost_may_send_it_again()
    {
        var log = Open("events");
        for (var sequence = 0; sequence < 3; sequence++)
            log.Append(Batches.Build($"{sequence}", producerId: 7, epoch: 0, sequence: sequence));
        log.Append(Batches.Build("lost", producerId: 8, epoch: 0, sequence: 0));
        Close();
        var file = LogsOf("events").Single();
        Cut(file, PositionOf(file, 3));
        OpenBroker();
        log = Broker.FindLog("events", 0)!;

        Assert.Equal(new(ErrorCode.None, 2, 0), log.Append(Batches.Build("2", producerId: 7, epoch: 0, sequence: 2)));
        Assert.Equal(new(ErrorCode.None, 4, 0), log.Append(Batches.Build("lost", producerId: 8, epoch: 0, sequence: 0)));
        Assert.Equal(5, log.NextOffset);
        Assert.Equal((4, "key", "lost"), Batches.ReadAll(log)[^1]);
    }

    [Fact]
    public void A_file_that_is_named_otherwise_is_none_of_the_log()
    {
        Append(Open("events"), 0, 100);
        Close();
        var file = LogsOf("events").Single();
        File.Copy(file, Path.Combine(Path.GetDirectoryName(file)!, "00000000000000000000 (1).log"));
        File.Copy(file, Path.Combine(Path.GetDirectoryName(file)!, "7.log"));
        OpenBroker();

        Append(Broker.FindLog("events", 0)!, 100, 10);
        Assert.Equal(110, Batches.ReadAll(Broker.FindLog("events", 0)!).Count);
    }

    private Dictionary<string, byte[]> FilesOf(string topic) =>
        Directory.GetFiles(Path.GetDirectoryName(LogsOf(topic)[0])!).ToDictionary(file => Path.GetFileName(file), ReadShared);
}
