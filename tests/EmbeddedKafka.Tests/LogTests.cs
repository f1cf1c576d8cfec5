using System.Diagnostics.CodeAnalysis;

namespace Shop.KafkaBroker.Tests;

/// <summary>The log on disk: recovery, retention, compaction, and what the admin calls do to it.</summary>
public sealed class LogTests : IDisposable
{
    private static readonly Dictionary<string, string> SmallSegments = new() { ["segment.bytes"] = "2000" };

    private readonly TemporaryDirectory _data = new();
    private readonly ManualClock _time = new(1_700_000_000_000);
    private Broker? _broker;

    public void Dispose()
    {
        _broker?.Dispose();
        _data.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Everything_is_there_after_a_restart(bool clean)
    {
        var log = Open("events", SmallSegments);
        Append(log, 0, 200);
        var clusterId = _broker.ClusterId;
        var producerId = _broker.NextProducerId();
        _broker.AddPartitions("events", 3, validateOnly: false);
        _broker.Groups.Commit(_broker.Groups.FindOrAdd("group"), [("events", 0, new(42, 7, "note", 1))]);
        Restart(clean);
        log = _broker.FindLog("events", 0)!;
        var group = _broker.Groups.FindOrAdd("group");

        Assert.Equal(Enumerable.Range(0, 200).Select(i => ((long)i, (string?)"key", (string?)$"{i}")), Batches.ReadAll(log));
        Assert.Equal((clusterId, 3), (_broker.ClusterId, _broker.FindTopic("events")!.Partitions.Count));
        Assert.Equal(new(42, 7, "note", 1), group.Offsets[("events", 0)]);
        Assert.True(_broker.NextProducerId() > producerId, "a producer id was given twice");
        Assert.Equal("2000", _broker.FindTopic("events")!.Config["segment.bytes"]);
        Assert.Equal(200, log.Append(Batches.Build("more")).BaseOffset);
        Assert.True(Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Length > 5, "there should be several segments");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_idempotent_producer_goes_on_after_a_restart(bool clean)
    {
        var log = Open("events", SmallSegments);
        for (var sequence = 0; sequence < 100; sequence++)
            log.Append(Batches.Build($"{sequence}", producerId: 7, epoch: 0, sequence: sequence));
        Restart(clean);
        log = _broker.FindLog("events", 0)!;

        Assert.Equal(new(ErrorCode.None, 97, 0), log.Append(Batches.Build("97", producerId: 7, epoch: 0, sequence: 97)));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(Batches.Build("102", producerId: 7, epoch: 0, sequence: 102)).Error);
        Assert.Equal(new(ErrorCode.None, 100, 0), log.Append(Batches.Build("100", producerId: 7, epoch: 0, sequence: 100)));
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(Batches.Build("1", producerId: 7, epoch: 1, sequence: 1)).Error);
        Assert.Equal(new(ErrorCode.None, 101, 0), log.Append(Batches.Build("0", producerId: 7, epoch: 1, sequence: 0)));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, log.Append(Batches.Build("101", producerId: 7, epoch: 0, sequence: 101)).Error);
        Assert.Equal(new(ErrorCode.None, 102, 0), log.Append(Batches.Build("x", producerId: 8, epoch: 0, sequence: 55)));
    }

    [Fact]
    public void Sequences_wrap()
    {
        var log = Open("events");
        log.Append(Batches.Build("a", producerId: 7, epoch: 0, sequence: int.MaxValue));

        Assert.Equal(new(ErrorCode.None, 1, 0), log.Append(Batches.Build("b", producerId: 7, epoch: 0, sequence: 0)));
        Assert.Equal(new(ErrorCode.None, 1, 0), log.Append(Batches.Build("b", producerId: 7, epoch: 0, sequence: 0)));
    }

    [Fact]
    public void A_torn_or_damaged_tail_is_cut_off_and_the_log_goes_on()
    {
        var random = new Random(20_260_102);
        var log = Open("events");
        Append(log, 0, 20);
        for (var round = 0; round < 100; round++)
        {
            var file = Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single();
            Kill();
            using (var stream = File.Open(file, FileMode.Open))
            {
                if (random.Next(2) == 0)
                {
                    stream.SetLength(stream.Length - random.Next(1, 200));
                }
                else
                {
                    stream.Position = stream.Length - random.Next(1, 50); // within what the last batch's checksum covers
                    var value = stream.ReadByte();
                    stream.Position--;
                    stream.WriteByte((byte)(value + 1));
                }
            }
            OpenBroker();
            log = _broker.FindLog("events", 0)!;
            var kept = Batches.ReadAll(log);

            Assert.InRange(kept.Count, 10, 19);
            Assert.Equal(Enumerable.Range(0, kept.Count).Select(i => (long)i), kept.Select(record => record.Offset));
            Assert.Equal(kept.Count, log.NextOffset);
            Append(log, kept.Count, 20 - kept.Count);
            Assert.Equal(20, Batches.ReadAll(log).Count);
        }
    }

    [Fact]
    public void A_damaged_index_or_checkpoint_is_not_believed()
    {
        var log = Open("events", SmallSegments);
        Append(log, 0, 200);
        Kill();
        foreach (var file in Directory.GetFiles(_data.Path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".index" or ".producers"))
            File.WriteAllBytes(file, File.ReadAllBytes(file)[..^3]);
        OpenBroker();

        Assert.Equal(200, Batches.ReadAll(_broker.FindLog("events", 0)!).Count);
    }

    [Fact]
    public void A_torn_journal_loses_only_what_is_torn()
    {
        Open("events");
        _broker.CreateTopic("later", 1, new Dictionary<string, string>());
        Kill();
        var journal = Path.Combine(_data.Path, "journal");
        File.WriteAllBytes(journal, File.ReadAllBytes(journal)[..^1]);
        OpenBroker();

        Assert.Equal(["events"], _broker.Topics.Select(topic => topic.Name));
        Assert.Equal(ErrorCode.None, _broker.CreateTopic("later", 1, new Dictionary<string, string>()).Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_bit_before_whole_records_is_no_torn_tail(bool journal)
    {
        Append(Open("events"), 0, 20);
        _broker.CreateTopic("more", 1, new Dictionary<string, string>());
        Kill();
        var path = journal ? Path.Combine(_data.Path, "journal") : Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single(file => new FileInfo(file).Length > 0);
        var whole = File.ReadAllBytes(path);
        var epochs = new HashSet<int>(); // no checksum covers them
        for (var batch = 0; !journal && batch < whole.Length; batch += RecordBatch.Size(whole.AsSpan(batch)))
            epochs.UnionWith(Enumerable.Range(batch + 12, 4));
        foreach (var position in Enumerable.Range(0, whole.Length / 2).Except(epochs))
        {
            var damaged = (byte[])whole.Clone();
            damaged[position] ^= 1;
            File.WriteAllBytes(path, damaged);

            Assert.Contains(path, Assert.Throws<InvalidDataException>(OpenBroker).Message, StringComparison.Ordinal);
            Assert.Equal(damaged, File.ReadAllBytes(path));
        }
        File.WriteAllBytes(path, whole);
        OpenBroker();
        Assert.Equal(20, Batches.ReadAll(_broker.FindLog("events", 0)!).Count);
    }

    [Fact]
    public void A_topic_that_the_journal_forgot_is_set_aside()
    {
        Append(Open("events"), 0, 20);
        Kill();
        var log = Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single();
        var records = File.ReadAllBytes(log);
        File.Delete(Path.Combine(_data.Path, "journal"));
        OpenBroker();
        Append(Open("events"), 0, 1);
        Restart(clean: false);

        Assert.Equal(records, File.ReadAllBytes(Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Single(file => file.Contains(".aside", StringComparison.Ordinal))));
        Assert.Single(Batches.ReadAll(_broker.FindLog("events", 0)!));
    }

    [Fact]
    public void Reading_from_any_offset_begins_with_its_batch()
    {
        var log = Open("events", SmallSegments);
        for (var i = 0; i < 100; i++)
            log.Append(Batches.Build([("key", $"{i}-0"), ("key", $"{i}-1"), ("key", $"{i}-2")]));
        for (var offset = 299; offset >= 0; offset--)
        {
            using var output = new ResponseWriter();
            log.Read(offset, 1, oneBatchAtLeast: true, output);

            Assert.Equal(offset / 3 * 3, RecordBatch.BaseOffset(output.Written.Span));
            Assert.Equal(output.Length, RecordBatch.Size(output.Written.Span));
        }
    }

    [Fact]
    public void Records_expire_by_time_and_by_size()
    {
        var byTime = Open("by-time", new(SmallSegments) { ["retention.ms"] = "60000" });
        var bySize = Open("by-size", new(SmallSegments) { ["retention.bytes"] = "5000" });
        Append(byTime, 0, 100);
        Append(bySize, 0, 200);
        _time.Advance(TimeSpan.FromMinutes(2));
        byTime.Append(Batches.Build("fresh", _time.GetUtcNow().ToUnixTimeMilliseconds()));
        _broker.Clean();

        Assert.InRange(Batches.ReadAll(byTime).Count, 1, 25); // the last segment holds the fresh record, and so it stays
        Assert.Equal("fresh", Batches.ReadAll(byTime)[^1].Value);
        Assert.Equal(101, byTime.NextOffset);
        Assert.InRange(Batches.ReadAll(bySize).Count, 50, 100);
        Assert.Equal(200, bySize.NextOffset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, byTime.Read(0, 1000, true, new()).Error);
        _time.Advance(TimeSpan.FromMinutes(2));
        _broker.Clean();
        Assert.Equal((101, 101), (byTime.LogStartOffset, byTime.NextOffset));
        Restart(clean: false);
        Assert.Equal((101, 101), (_broker.FindLog("by-time", 0)!.LogStartOffset, _broker.FindLog("by-time", 0)!.NextOffset));
    }

    [Fact]
    public void Compaction_keeps_the_last_record_of_each_key_and_tombstones_for_a_while()
    {
        var log = Open("catalog", new(SmallSegments) { ["cleanup.policy"] = "compact", ["delete.retention.ms"] = "60000", ["segment.ms"] = "1000" });
        for (var i = 0; i < 300; i++)
            log.Append(Batches.Build([($"sku-{i % 7}", $"{i}"), ("gone", i == 299 ? null : $"{i}")], _time.GetUtcNow().ToUnixTimeMilliseconds()));
        var before = Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Length;
        _time.Advance(TimeSpan.FromSeconds(2));
        _broker.Clean();
        var compacted = Batches.ReadAll(log);

        Assert.Equal(Enumerable.Range(293, 7).Select(i => ((long)i * 2, (string?)$"sku-{i % 7}", (string?)$"{i}"))
            .Append((599, "gone", null)).Order(), compacted.Order());
        Assert.True(before > 10 && Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Length <= 2, "the segments were not joined");
        Assert.Equal(600, log.NextOffset);
        Restart(clean: false);
        log = _broker.FindLog("catalog", 0)!;
        Assert.Equal(compacted, Batches.ReadAll(log));
        _time.Advance(TimeSpan.FromMinutes(2));
        log.Append(Batches.Build([("sku-0", "new")], _time.GetUtcNow().ToUnixTimeMilliseconds()));
        _time.Advance(TimeSpan.FromSeconds(2));
        _broker.Clean();
        Assert.Equal(7, Batches.ReadAll(log).Count);
        Assert.DoesNotContain(Batches.ReadAll(log), record => record.Key == "gone");
        Assert.Equal(ErrorCode.InvalidRecord, log.Append(Batches.Build([(null, "no key")])).Error);
    }

    [Fact]
    public void A_compaction_that_was_killed_is_completed_or_taken_back()
    {
        var log = Open("catalog", SmallSegments);
        Append(log, 0, 60);
        var directory = Path.Combine(Directory.GetDirectories(Path.Combine(_data.Path, "topics")).Single(), "0");
        Kill();
        var segments = Directory.GetFiles(directory, "*.log").Order().ToArray();
        // as if the first two segments had become one with their first two batches, and the process had died before their deletion
        var finished = Directory.CreateDirectory(Path.Combine(directory, $"cleaned-{Path.GetFileNameWithoutExtension(segments[2]).TrimStart('0')}"));
        var first = File.ReadAllBytes(segments[0]);
        File.WriteAllBytes(Path.Combine(finished.FullName, Path.GetFileName(segments[0])), first[..(RecordBatch.Size(first) * 2)]);
        Directory.CreateDirectory(Path.Combine(directory, "cleaning"));
        File.WriteAllBytes(Path.Combine(directory, "cleaning", "00000000000000000000.log"), [1, 2, 3]);
        OpenBroker();
        var offsets = Batches.ReadAll(_broker.FindLog("catalog", 0)!).Select(record => record.Offset).ToList();

        Assert.Equal([0, 1], offsets[..2]);
        Assert.Equal(long.Parse(Path.GetFileNameWithoutExtension(segments[2])), offsets[2]);
        Assert.Equal(59, offsets[^1]);
        Assert.Empty(Directory.GetDirectories(directory));
    }

    [Fact]
    public void Deleted_records_stay_deleted()
    {
        var log = Open("events", SmallSegments);
        Append(log, 0, 100);

        Assert.Equal(ErrorCode.OffsetOutOfRange, log.DeleteBefore(101));
        Assert.Equal(ErrorCode.None, log.DeleteBefore(55));
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(54, 1000, true, new()).Error);
        _broker.Clean();
        Restart(clean: false);
        log = _broker.FindLog("events", 0)!;
        Assert.Equal((55, 100), (log.LogStartOffset, log.NextOffset));
        log.DeleteBefore(-1);
        _broker.Clean();
        Restart(clean: true);
        log = _broker.FindLog("events", 0)!;
        Assert.Equal((100, 100), (log.LogStartOffset, log.NextOffset));
        Assert.Equal(100, log.Append(Batches.Build("next")).BaseOffset);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_topic_made_again_under_its_name_is_new(bool clean)
    {
        Append(Open("events"), 0, 10);
        _broker.Groups.Commit(_broker.Groups.FindOrAdd("group"), [("events", 0, new(10, -1, "", 1)), ("other", 0, new(1, -1, "", 1))]);
        Assert.Equal(ErrorCode.None, _broker.DeleteTopic("events"));
        var log = Open("events");
        log.Append(Batches.Build("new"));
        Restart(clean);

        Assert.Equal([(0, "key", "new")], Batches.ReadAll(_broker.FindLog("events", 0)!));
        Assert.Equal([("other", 0)], _broker.Groups.FindOrAdd("group").Offsets.Keys);
        Assert.Single(Directory.GetDirectories(Path.Combine(_data.Path, "topics")));
    }

    [Fact]
    public void Offsets_of_a_group_without_members_expire()
    {
        Open("events");
        _broker.Groups.Commit(_broker.Groups.FindOrAdd("group"), [("events", 0, new(10, -1, "", _broker.Now))]);
        _time.Advance(TimeSpan.FromDays(6));
        _broker.Clean();
        Assert.Single(_broker.Groups.FindOrAdd("group").Offsets);
        _time.Advance(TimeSpan.FromDays(2));
        _broker.Clean();
        Assert.False(_broker.Groups.TryFind("group", out _));
    }

    [Fact]
    public void The_journal_is_written_anew_when_it_has_outgrown_what_it_says()
    {
        Open("events");
        var group = _broker.Groups.FindOrAdd("group");
        var note = new string('x', 4000);
        for (var i = 0; i < 3000; i++)
            _broker.Groups.Commit(group, [("events", 0, new(i, -1, note, 1))]);

        Assert.True(new FileInfo(Path.Combine(_data.Path, "journal")).Length < 5 << 20);
        Restart(clean: false);
        Assert.Equal(2999, _broker.Groups.FindOrAdd("group").Offsets[("events", 0)].Offset);
    }

    [Fact]
    public void Nothing_but_its_own_is_removed_from_its_directory()
    {
        Directory.CreateDirectory(Path.Combine(_data.Path, "photos-2"));
        OpenBroker();

        Assert.True(Directory.Exists(Path.Combine(_data.Path, "photos-2")));
    }

    [Fact]
    public void A_directory_has_one_broker_at_a_time()
    {
        OpenBroker();

        Assert.Throws<IOException>(() => new Broker(_data.Path, new()));
    }

    [MemberNotNull(nameof(_broker))]
    private void OpenBroker() => _broker = new(_data.Path, new() { TimeProvider = _time });

    [MemberNotNull(nameof(_broker))]
    private PartitionLog Open(string topic, Dictionary<string, string>? configs = null)
    {
        if (_broker is null)
            OpenBroker();
        Assert.Equal(ErrorCode.None, _broker.CreateTopic(topic, 1, configs ?? []).Error);
        return _broker.FindLog(topic, 0)!;
    }

    [MemberNotNull(nameof(_broker))]
    private void Restart(bool clean)
    {
        if (clean)
            _broker!.Dispose();
        else
            Kill();
        OpenBroker();
    }

    /// <summary>What a killed process leaves: everything written, nothing closed.</summary>
    private void Kill()
    {
        var copy = _data.Path + "-killed";
        TemporaryDirectory.Copy(_data.Path, copy);
        _broker!.Dispose();
        _broker = null;
        Directory.Delete(_data.Path, recursive: true);
        Directory.Move(copy, _data.Path);
    }

    private static void Append(PartitionLog log, int first, int count)
    {
        for (var i = first; i < first + count; i++)
            Assert.Equal(new(ErrorCode.None, i, log.LogStartOffset), log.Append(Batches.Build($"{i}")));
    }
}
