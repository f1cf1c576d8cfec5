using System.Buffers.Binary;
using static Shop.KafkaBroker.Tests.LogFiles;

namespace Shop.KafkaBroker.Tests;

/// <summary>What becomes of a log whose files are not any more what was written: it costs what is damaged, and no more.</summary>
public sealed class DamagedLogTests : DiskTests
{
    private const int Count = 1500, Victim = 300;

    /// <summary>Long enough for some entries of the index, at which searches begin.</summary>
    private static readonly Dictionary<string, string> Segments = new() { ["segment.bytes"] = "60000" };

    /// <summary>What no header of a batch can say in its place, by the name of the field.</summary>
    private static readonly Dictionary<string, Action<byte[]>> Damages = new()
    {
        ["a length of nothing"] = header => BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), -12),
        ["a negative length"] = header => BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), -100),
        ["a length beyond the file"] = header => BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), 1 << 20),
        ["the largest length"] = header => BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), int.MaxValue),
        ["a lower offset"] = header => BinaryPrimitives.WriteInt64BigEndian(header, Victim - 7),
        ["a higher offset"] = header => BinaryPrimitives.WriteInt64BigEndian(header, Victim + 7),
        ["an offset beyond the segment"] = header => BinaryPrimitives.WriteInt64BigEndian(header, 1L << 40),
        ["a negative offset"] = header => BinaryPrimitives.WriteInt64BigEndian(header, -1),
        ["another format"] = header => header[16] = 1,
        ["no records"] = header => BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(23), -1),
        ["zeros"] = header => header.AsSpan().Clear(),
    };

    public static TheoryData<string, string> AllDamages
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var damage in Damages.Keys)
            {
                foreach (var when in new[] { "while it runs", "while it is closed", "while it is closed, with its index" })
                    data.Add(damage, when);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(AllDamages))]
    public async Task A_header_that_makes_no_sense_costs_its_batch_and_is_said_once(string damage, string when)
    {
        var log = Open("events", Segments);
        Append(log, 0, Count);
        Append(Open("others"), 0, 10);
        var file = LogsOf("events")[0];
        if (when != "while it runs")
            Close();
        var position = DamageHeader(file, Victim, Damages[damage]);
        if (when.Contains("index", StringComparison.Ordinal))
            File.Delete(Path.ChangeExtension(file, ".index"));
        if (when != "while it runs")
            OpenBroker();
        log = Broker.FindLog("events", 0)!;

        await InTimeAsync(() =>
        {
            Assert.Equal((Victim, ErrorCode.CorruptMessage), ReadFrom(log, 0));
            Assert.Equal((Victim, ErrorCode.CorruptMessage), ReadFrom(log, Victim));
            Assert.Equal(ErrorCode.CorruptMessage, ReadFrom(log, Victim).Error);
            Assert.Equal((Count, ErrorCode.None), ReadFrom(log, Victim + 1));
            Assert.Equal(10, Batches.ReadAll(Broker.FindLog("others", 0)!).Count);
            Assert.Equal((0, Count), log.EndOfEpoch(0));
        });
        Assert.Single(Said.Lines, line => line.StartsWith("LogDamaged:", StringComparison.Ordinal) && line.Contains($"{file} is damaged at byte {position}.", StringComparison.Ordinal));
        Assert.Equal(Count, log.Append(Batches.Build("more")).BaseOffset);
    }

    [Fact]
    public void Without_an_index_what_is_behind_the_damage_can_be_read_at_once()
    {
        Append(Open("events", Segments), 0, Count);
        Close();
        var file = LogsOf("events")[0];
        var position = DamageHeader(file, Victim, Damages["zeros"]);
        File.Delete(Path.ChangeExtension(file, ".index"));
        OpenBroker();
        var log = Broker.FindLog("events", 0)!;

        Assert.Equal((Count, ErrorCode.None), ReadFrom(log, Victim + 1));
        Assert.Contains(Said.Lines, line => line.StartsWith("LogDamagedStretch:", StringComparison.Ordinal)
            && line.Contains($"{file} has no whole batch from byte {position} to ", StringComparison.Ordinal) && line.EndsWith($"the offsets {Victim} to {Victim} cannot be read", StringComparison.Ordinal));
        Restart(clean: false); // with the index that was made then
        Assert.Equal((Count, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, Victim + 1));
        Assert.Equal((Victim, ErrorCode.CorruptMessage), ReadFrom(Broker.FindLog("events", 0)!, 0));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(1, false)]
    public void A_segment_that_lost_its_end_is_noticed_at_the_start(int cutWithinBatch, bool withIndex)
    {
        Append(Open("events", Segments), 0, Count);
        Close();
        var file = LogsOf("events")[0];
        Cut(file, PositionOf(file, Victim) + cutWithinBatch);
        if (!withIndex)
            File.Delete(Path.ChangeExtension(file, ".index"));
        OpenBroker();
        var log = Broker.FindLog("events", 0)!;
        var next = long.Parse(Path.GetFileNameWithoutExtension(LogsOf("events")[1]));

        // a batch of which a part is there cannot be read; behind what is gone altogether reading goes on, as behind what compaction removed
        Assert.Equal(cutWithinBatch > 0 ? (Victim, ErrorCode.CorruptMessage) : (Count, ErrorCode.None), ReadFrom(log, 0));
        Assert.Equal((Count, ErrorCode.None), ReadFrom(log, next));
        Assert.Single(Said.Lines, line => line.Contains(file, StringComparison.Ordinal) && line.Contains($"offsets {Victim} to {next - 1} ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70)]
    [InlineData(5000)]
    public void A_log_that_is_shorter_than_when_it_was_closed_gives_no_offset_again(int cut)
    {
        var log = Open("events", Segments);
        for (var sequence = 0; sequence < Count; sequence++)
            log.Append(Batches.Build($"{sequence}", producerId: 7, epoch: 0, sequence: sequence));
        Close();
        var file = LogsOf("events")[^1];
        Cut(file, cut == 0 ? PositionOf(file, Count - 3) : new FileInfo(file).Length - cut);
        var kept = EndOf(file);
        OpenBroker();
        log = Broker.FindLog("events", 0)!;

        Assert.InRange(kept, Count - 100, Count - 1);
        Assert.Equal(Count, log.NextOffset);
        Assert.Equal((kept, cut == 0 ? ErrorCode.None : ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Assert.Single(Said.Lines, line => line.StartsWith("LogEndsEarly:", StringComparison.Ordinal) && line.Contains(file, StringComparison.Ordinal)
            && line.Contains($"ends at offset {kept}, and ended at {Count}", StringComparison.Ordinal));
        Assert.DoesNotContain(Said.Lines, line => line.StartsWith("TornTail:", StringComparison.Ordinal));
        // what its producer sends again is no repeat of what is lost, and is of what is there
        Assert.Equal(new(ErrorCode.None, kept - 1, 0), log.Append(Batches.Build($"{kept - 1}", producerId: 7, epoch: 0, sequence: kept - 1)));
        Assert.Equal(Count, log.NextOffset);
        for (var sequence = kept; sequence < Count; sequence++)
            Assert.Equal(new(ErrorCode.None, Count + sequence - kept, 0), log.Append(Batches.Build($"{sequence}", producerId: 7, epoch: 0, sequence: sequence)));
        Restart(clean: cut % 2 == 0);
        Assert.Equal((Count + Count - kept, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, Count));
    }

    [Fact]
    public void A_last_segment_that_is_gone_is_noticed()
    {
        Append(Open("events", Segments), 0, Count);
        Close();
        var files = LogsOf("events");
        File.Delete(files[^1]);
        OpenBroker();
        var kept = int.Parse(Path.GetFileNameWithoutExtension(files[^1]));

        Assert.Equal((kept, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, 0));
        Assert.Single(Said.Lines, line => line.Contains($"{files[^2]} ends at offset {kept}, and ended at {Count}", StringComparison.Ordinal));
        Append(Broker.FindLog("events", 0)!, Count, 10);
        Assert.Equal((Count + 10, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, 0));
    }

    [Fact]
    public void A_closed_log_that_is_damaged_before_its_end_keeps_what_is_behind_that()
    {
        Append(Open("events"), 0, 100);
        Close();
        DamageHeader(LogsOf("events").Single(), 50, Damages["zeros"]);
        OpenBroker();
        var log = Broker.FindLog("events", 0)!;

        Assert.Equal((50, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Append(log, 100, 10);
        Assert.Equal((110, ErrorCode.None), ReadFrom(log, 51));
        Restart(clean: false); // what is known to be damaged is no reason to refuse the start
        log = Broker.FindLog("events", 0)!;
        Assert.Equal((50, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Assert.Equal((110, ErrorCode.None), ReadFrom(log, 51));
    }

    [Fact]
    public void A_damaged_bit_of_an_index_is_not_believed()
    {
        Append(Open("events", Segments), 0, Count);
        Close();
        var file = Path.ChangeExtension(LogsOf("events")[0], ".index");
        var index = File.ReadAllBytes(file);
        for (var bit = 0; bit < index.Length * 8; bit += 17)
        {
            var damaged = (byte[])index.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(file, damaged);
            OpenBroker();
            Assert.Equal((Count, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, bit % Count));
            Assert.Equal(index, File.ReadAllBytes(file));
            Close();
        }
        Assert.DoesNotContain(Said.Lines, line => line.Contains("amaged", StringComparison.Ordinal));
    }

    [Fact]
    public void Compaction_leaves_alone_what_is_damaged()
    {
        var log = Open("catalog", new(Segments) { ["cleanup.policy"] = "compact", ["min.cleanable.dirty.ratio"] = "0" });
        Append(log, 0, Count * 2);
        var files = LogsOf("catalog");
        var batch = PositionOf(files[1], long.Parse(Path.GetFileNameWithoutExtension(files[1])) + 10);
        using (var stream = File.Open(files[1], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            stream.Position = batch + RecordBatch.HeaderSize + 5; // a record, of which only the checksum tells
            stream.WriteByte(0x55);
        }
        var damaged = File.ReadAllBytes(files[1]);
        Broker.Clean();
        Assert.Single(Said.Lines, line => line.Contains($"{files[1]} is damaged at byte {batch}.", StringComparison.Ordinal));
        var before = new FileInfo(files[0]).Length;
        Broker.Clean();

        Assert.Equal(damaged, File.ReadAllBytes(files[1]));
        Assert.True(new FileInfo(files[0]).Length < before, "what is before the damage is compacted all the same");
        Assert.Equal(files[1..], LogsOf("catalog")[1..]);
    }

    private static async Task InTimeAsync(Action act) => await Task.Run(act, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
}
