namespace Shop.KafkaBroker.Tests;

/// <summary>The log on disk: what a start finds of it, and how it is read.</summary>
public sealed class LogTests : DiskTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Everything_is_there_after_a_restart(bool clean)
    {
        var log = Open("events", SmallSegments);
        Append(log, 0, 200);
        var clusterId = Broker.ClusterId;
        var producerId = Broker.NextProducerId();
        Broker.AddPartitions("events", 3, validateOnly: false);
        Broker.Groups.Commit(Broker.Groups.FindOrAdd("group"), [("events", 0, new(42, 7, "note", 1))]);
        Restart(clean);
        log = Broker.FindLog("events", 0)!;
        var group = Broker.Groups.FindOrAdd("group");

        Assert.Equal(Enumerable.Range(0, 200).Select(i => ((long)i, (string?)"key", (string?)$"{i}")), Batches.ReadAll(log));
        Assert.Equal((clusterId, 3), (Broker.ClusterId, Broker.FindTopic("events")!.Partitions.Count));
        Assert.Equal(new(42, 7, "note", 1), group.Offsets[("events", 0)]);
        Assert.True(Broker.NextProducerId() > producerId, "a producer id was given twice");
        Assert.Equal("2000", Broker.FindTopic("events")!.Config["segment.bytes"]);
        Assert.Equal(200, log.Append(Batches.Build("more")).BaseOffset);
        Assert.True(Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Length > 5, "there should be several segments");
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
        log = Broker.FindLog("events", 0)!;

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
            var file = Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Single();
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
            log = Broker.FindLog("events", 0)!;
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
        foreach (var file in Directory.GetFiles(DataPath, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".index" or ".producers"))
            File.WriteAllBytes(file, File.ReadAllBytes(file)[..^3]);
        OpenBroker();

        Assert.Equal(200, Batches.ReadAll(Broker.FindLog("events", 0)!).Count);
    }

    [Fact]
    public void A_torn_journal_loses_only_what_is_torn()
    {
        Open("events");
        Broker.CreateTopic("later", 1, new Dictionary<string, string>());
        Kill();
        var journal = Path.Combine(DataPath, "journal");
        File.WriteAllBytes(journal, File.ReadAllBytes(journal)[..^1]);
        OpenBroker();

        Assert.Equal(["events"], Broker.Topics.Select(topic => topic.Name));
        Assert.Equal(ErrorCode.None, Broker.CreateTopic("later", 1, new Dictionary<string, string>()).Error);
    }

    [Fact]
    public void A_damaged_bit_of_the_journal_before_whole_entries_is_no_torn_tail()
    {
        Append(Open("events"), 0, 20);
        Broker.CreateTopic("more", 1, new Dictionary<string, string>());
        Kill();
        var path = Path.Combine(DataPath, "journal");
        var whole = File.ReadAllBytes(path);
        for (var position = 0; position < whole.Length / 2; position++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[position] ^= 1;
            File.WriteAllBytes(path, damaged);

            Assert.Contains(path, Assert.Throws<InvalidDataException>(OpenBroker).Message, StringComparison.Ordinal);
            Assert.Equal(damaged, File.ReadAllBytes(path));
        }
        File.WriteAllBytes(path, whole);
        OpenBroker();
        Assert.Equal(20, Batches.ReadAll(Broker.FindLog("events", 0)!).Count);
    }

    [Fact]
    public void A_topic_that_the_journal_forgot_is_set_aside()
    {
        Append(Open("events"), 0, 20);
        Kill();
        var log = Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Single();
        var records = File.ReadAllBytes(log);
        File.Delete(Path.Combine(DataPath, "journal"));
        OpenBroker();
        Append(Open("events"), 0, 1);
        Restart(clean: false);

        Assert.Equal(records, File.ReadAllBytes(Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Single(file => file.Contains(".aside", StringComparison.Ordinal))));
        Assert.Single(Batches.ReadAll(Broker.FindLog("events", 0)!));
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
    public void The_journal_is_written_anew_when_it_has_outgrown_what_it_says()
    {
        Open("events");
        var group = Broker.Groups.FindOrAdd("group");
        var note = new string('x', 4000);
        for (var i = 0; i < 3000; i++)
            Broker.Groups.Commit(group, [("events", 0, new(i, -1, note, 1))]);

        Assert.True(new FileInfo(Path.Combine(DataPath, "journal")).Length < 5 << 20);
        Restart(clean: false);
        Assert.Equal(2999, Broker.Groups.FindOrAdd("group").Offsets[("events", 0)].Offset);
    }

    [Fact]
    public void Nothing_but_its_own_is_removed_from_its_directory()
    {
        Directory.CreateDirectory(Path.Combine(DataPath, "photos-2"));
        OpenBroker();

        Assert.True(Directory.Exists(Path.Combine(DataPath, "photos-2")));
    }

    [Fact]
    public void A_directory_has_one_broker_at_a_time()
    {
        OpenBroker();

        Assert.Throws<IOException>(() => new Broker(DataPath, new()));
    }
}
