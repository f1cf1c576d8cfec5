namespace Shop.KafkaBroker.Tests;

/// <summary>What goes from a log: by its age or size, by compaction, and because somebody wants it gone.</summary>
public sealed class CleaningTests : DiskTests
{
    [Fact]
    public void Records_expire_by_time_and_by_size()
    {
        var byTime = Open("by-time", new(SmallSegments) { ["retention.ms"] = "60000" });
        var bySize = Open("by-size", new(SmallSegments) { ["retention.bytes"] = "5000" });
        Append(byTime, 0, 100);
        Append(bySize, 0, 200);
        Time.Advance(TimeSpan.FromMinutes(2));
        byTime.Append(Batches.Build("fresh", Time.GetUtcNow().ToUnixTimeMilliseconds()));
        Broker.Clean();

        Assert.InRange(Batches.ReadAll(byTime).Count, 1, 25); // the last segment holds the fresh record, and so it stays
        Assert.Equal("fresh", Batches.ReadAll(byTime)[^1].Value);
        Assert.Equal(101, byTime.NextOffset);
        Assert.InRange(Batches.ReadAll(bySize).Count, 50, 100);
        Assert.Equal(200, bySize.NextOffset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, byTime.Read(0, 1000, true, new()).Error);
        Time.Advance(TimeSpan.FromMinutes(2));
        Broker.Clean();
        Assert.Equal((101, 101), (byTime.LogStartOffset, byTime.NextOffset));
        Restart(clean: false);
        Assert.Equal((101, 101), (Broker.FindLog("by-time", 0)!.LogStartOffset, Broker.FindLog("by-time", 0)!.NextOffset));
    }

    [Fact]
    public void Compaction_keeps_the_last_record_of_each_key_and_tombstones_for_a_while()
    {
        var log = Open("catalog", new(SmallSegments) { ["cleanup.policy"] = "compact", ["delete.retention.ms"] = "60000", ["segment.ms"] = "1000" });
        for (var i = 0; i < 300; i++)
            log.Append(Batches.Build([($"sku-{i % 7}", $"{i}"), ("gone", i == 299 ? null : $"{i}")], Time.GetUtcNow().ToUnixTimeMilliseconds()));
        var before = Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Length;
        Time.Advance(TimeSpan.FromSeconds(2));
        Broker.Clean();
        var compacted = Batches.ReadAll(log);

        Assert.Equal(Enumerable.Range(293, 7).Select(i => ((long)i * 2, (string?)$"sku-{i % 7}", (string?)$"{i}"))
            .Append((599, "gone", null)).Order(), compacted.Order());
        Assert.True(before > 10 && Directory.GetFiles(DataPath, "*.log", SearchOption.AllDirectories).Length <= 2, "the segments were not joined");
        Assert.Equal(600, log.NextOffset);
        Restart(clean: false);
        log = Broker.FindLog("catalog", 0)!;
        Assert.Equal(compacted, Batches.ReadAll(log));
        Time.Advance(TimeSpan.FromMinutes(2));
        log.Append(Batches.Build([("sku-0", "new")], Time.GetUtcNow().ToUnixTimeMilliseconds()));
        Time.Advance(TimeSpan.FromSeconds(2));
        Broker.Clean();
        Assert.Equal(7, Batches.ReadAll(log).Count);
        Assert.DoesNotContain(Batches.ReadAll(log), record => record.Key == "gone");
        Assert.Equal(ErrorCode.InvalidRecord, log.Append(Batches.Build([(null, "no key")])).Error);
    }

    [Fact]
    public void A_compaction_that_was_killed_is_completed_or_taken_back()
    {
        var log = Open("catalog", SmallSegments);
        Append(log, 0, 60);
        var directory = Path.Combine(Directory.GetDirectories(Path.Combine(DataPath, "topics")).Single(), "0");
        Kill();
        var segments = Directory.GetFiles(directory, "*.log").Order().ToArray();
        // as if the first two segments had become one with their first two batches, and the process had died before their deletion
        var finished = Directory.CreateDirectory(Path.Combine(directory, $"cleaned-{Path.GetFileNameWithoutExtension(segments[2]).TrimStart('0')}"));
        var first = File.ReadAllBytes(segments[0]);
        File.WriteAllBytes(Path.Combine(finished.FullName, Path.GetFileName(segments[0])), first[..(RecordBatch.Size(first) * 2)]);
        Directory.CreateDirectory(Path.Combine(directory, "cleaning"));
        File.WriteAllBytes(Path.Combine(directory, "cleaning", "00000000000000000000.log"), [1, 2, 3]);
        OpenBroker();
        var offsets = Batches.ReadAll(Broker.FindLog("catalog", 0)!).Select(record => record.Offset).ToList();

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
        Broker.Clean();
        Restart(clean: false);
        log = Broker.FindLog("events", 0)!;
        Assert.Equal((55, 100), (log.LogStartOffset, log.NextOffset));
        log.DeleteBefore(-1);
        Broker.Clean();
        Restart(clean: true);
        log = Broker.FindLog("events", 0)!;
        Assert.Equal((100, 100), (log.LogStartOffset, log.NextOffset));
        Assert.Equal(100, log.Append(Batches.Build("next")).BaseOffset);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_topic_made_again_under_its_name_is_new(bool clean)
    {
        Append(Open("events"), 0, 10);
        Broker.Groups.Commit(Broker.Groups.FindOrAdd("group"), [("events", 0, new(10, -1, "", 1)), ("other", 0, new(1, -1, "", 1))]);
        Assert.Equal(ErrorCode.None, Broker.DeleteTopic("events"));
        var log = Open("events");
        log.Append(Batches.Build("new"));
        Restart(clean);

        Assert.Equal([(0, "key", "new")], Batches.ReadAll(Broker.FindLog("events", 0)!));
        Assert.Equal([("other", 0)], Broker.Groups.FindOrAdd("group").Offsets.Keys);
        Assert.Single(Directory.GetDirectories(Path.Combine(DataPath, "topics")));
    }

    [Fact]
    public void Offsets_of_a_group_without_members_expire()
    {
        Open("events");
        Broker.Groups.Commit(Broker.Groups.FindOrAdd("group"), [("events", 0, new(10, -1, "", Broker.Now))]);
        Time.Advance(TimeSpan.FromDays(6));
        Broker.Clean();
        Assert.Single(Broker.Groups.FindOrAdd("group").Offsets);
        Time.Advance(TimeSpan.FromDays(2));
        Broker.Clean();
        Assert.False(Broker.Groups.TryFind("group", out _));
    }
}
