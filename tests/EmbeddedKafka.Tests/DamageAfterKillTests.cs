using System.Buffers.Binary;
using static Shop.KafkaBroker.Tests.LogFiles;

namespace Shop.KafkaBroker.Tests;

/// <summary>What a start after a kill makes of damage that a kill does not do: it costs what is there, as it does while the broker runs, and no offset is given twice.</summary>
public sealed class DamageAfterKillTests : DiskTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Damage_that_a_clean_start_has_not_noticed_costs_its_batch_whether_or_not_somebody_came_to_it(bool read)
    {
        const int Count = 1500, Victim = 300; // long before the last entry of the index, from which on a clean start looks
        Append(Open("events"), 0, Count);
        Close();
        var file = LogsOf("events").Single();
        var position = DamageHeader(file, Victim, header => header.AsSpan().Clear());
        var bytes = ReadShared(file);
        OpenBroker();
        Assert.DoesNotContain(Said.Lines, line => line.Contains("amaged", StringComparison.Ordinal));
        if (read)
            Assert.Equal((Victim, ErrorCode.CorruptMessage), ReadFrom(Broker.FindLog("events", 0)!, 0));
        Restart(clean: false);
        var log = Broker.FindLog("events", 0)!;

        Assert.Equal(bytes, ReadShared(file));
        Assert.Equal((Victim, ErrorCode.CorruptMessage), ReadFrom(log, 0));
        Assert.Equal((Count, ErrorCode.None), ReadFrom(log, Victim + 1));
        Assert.Contains(Said.Lines, line => line.StartsWith("LogDamagedStretch:", StringComparison.Ordinal)
            && line.Contains($"{file} has no whole batch from byte {position} to ", StringComparison.Ordinal) && line.EndsWith($"the offsets {Victim} to {Victim} cannot be read", StringComparison.Ordinal));
        Append(log, Count, 10);
        Restart(clean: false);
        Assert.Equal((Count + 10, ErrorCode.None), ReadFrom(Broker.FindLog("events", 0)!, Victim + 1));
        Append(Broker.FindLog("events", 0)!, Count + 10, 10);
    }

    [Fact]
    public void A_damaged_bit_before_whole_batches_costs_its_batch()
    {
        const int Count = 20;
        Append(Open("events"), 0, Count);
        Kill();
        var file = LogsOf("events").Single();
        var whole = File.ReadAllBytes(file);
        var (size, middle) = (RecordBatch.Size(whole), (int)PositionOf(file, 9));
        foreach (var position in (int[])[.. Enumerable.Range(0, size), .. Enumerable.Range(middle, size)]) // all other batches are as these two are
        {
            var damaged = (byte[])whole.Clone();
            damaged[position] ^= 1;
            foreach (var other in Directory.GetFiles(Path.GetDirectoryName(file)!))
                File.Delete(other);
            File.WriteAllBytes(file, damaged);
            OpenBroker();
            var log = Broker.FindLog("events", 0)!;
            var behind = OffsetBehind(whole, position);

            Assert.Equal(damaged, ReadShared(file));
            Assert.Equal((Count, ErrorCode.None), ReadFrom(log, behind));
            Append(log, Count, 1);
            Assert.Equal((Count + 1, ErrorCode.None), ReadFrom(log, behind));
            Close();
        }
    }

    [Theory]
    [InlineData(true)] // of its last batch a part is there
    [InlineData(false)] // its last batch is another one than was written
    public void Where_more_is_damaged_than_a_kill_tears_the_end_keeps_its_offsets(bool cut)
    {
        var log = Open("events");
        Append(log, 0, 100);
        Assert.Equal(100, log.Append(Batches.Build([("key", "a"), ("key", "b"), ("key", "c")])).BaseOffset);
        Kill();
        var file = LogsOf("events").Single();
        var last = PositionOf(file, 100);
        DamageHeader(file, 50, header => header.AsSpan().Clear());
        if (cut)
            Cut(file, new FileInfo(file).Length - 1);
        else
            Flip(file, last + RecordBatch.HeaderSize + 5);
        var bytes = File.ReadAllBytes(file);
        for (var start = 0; start < 3; start++)
        {
            OpenBroker();
            log = Broker.FindLog("events", 0)!;
            var next = 103 + start * 10;

            Assert.Equal(bytes, ReadShared(file));
            Assert.Equal(next, log.NextOffset);
            Assert.Equal((50, ErrorCode.CorruptMessage), ReadFrom(log, 0));
            Assert.Equal((100, ErrorCode.CorruptMessage), ReadFrom(log, 51));
            Append(log, next, 10);
            Assert.Equal((next + 10, ErrorCode.None), ReadFrom(log, 103));
            if (start == 0)
                Kill();
            else
                Close();
        }
    }

    [Theory]
    [InlineData(true)] // the length of the batch before the last reaches beyond the file
    [InlineData(false)] // its header is gone
    public void Of_a_damaged_end_each_header_counts_that_is_left(bool length)
    {
        var log = Open("events");
        Append(log, 0, 100);
        foreach (var offset in (int[])[100, 103])
            Assert.Equal(offset, log.Append(Batches.Build([("key", "a"), ("key", "b"), ("key", "c")])).BaseOffset);
        Kill();
        var file = LogsOf("events").Single();
        Flip(file, PositionOf(file, 103) + RecordBatch.HeaderSize + 5);
        DamageHeader(file, 100, header =>
        {
            if (length)
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8), 1 << 20);
            else
                header.AsSpan().Clear();
        });
        DamageHeader(file, 50, header => header.AsSpan().Clear());
        OpenBroker();
        log = Broker.FindLog("events", 0)!;

        Assert.Equal(106, log.NextOffset);
        Append(log, 106, 10);
        Assert.Equal((116, ErrorCode.None), ReadFrom(log, 106));
    }

    /// <summary>The offset behind the batch that a byte is of.</summary>
    private static int OffsetBehind(byte[] log, int position)
    {
        var start = 0;
        while (start + RecordBatch.Size(log.AsSpan(start)) <= position)
            start += RecordBatch.Size(log.AsSpan(start));
        return (int)RecordBatch.LastOffset(log.AsSpan(start)) + 1;
    }
}
