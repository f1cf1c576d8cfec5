namespace Shop.KafkaBroker.Tests;

/// <summary>After a call to the disk failed, whichever it was, memory and disk agree: what was acknowledged is there, now and after the next start, and nothing else is between.</summary>
public sealed class FailingDiskTests
{
    private const int Attempts = 15;

    [Long]
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Whichever_call_fails_what_was_acknowledged_is_there(bool flushEveryAppend, bool staysFull)
    {
        var calls = Try(flushEveryAppend, staysFull, failingCall: 0);
        Assert.InRange(calls, 80, 1000);
        for (var call = 1; call <= calls; call++)
            Try(flushEveryAppend, staysFull, call);
    }

    /// <summary>A life of a broker in which one call fails, then a start in which none does; returns how many calls there were.</summary>
    private static int Try(bool flushEveryAppend, bool staysFull, int failingCall)
    {
        using var data = new TemporaryDirectory();
        var disk = new FaultyDisk { FailingCall = failingCall, StaysFull = staysFull };
        var options = new EmbeddedKafkaOptions { Disk = disk, FlushEveryAppend = flushEveryAppend, TopicDefaults = new Dictionary<string, string> { ["segment.bytes"] = "1024" } };
        var acknowledged = new Acknowledged();
        try
        {
            using var broker = new Broker(data.Path, options);
            Live(broker, acknowledged);
            Check(broker, acknowledged, $"call {failingCall}, before the restart");
            disk.StaysFull = false; // there is room again
            Live(broker, acknowledged);
            Check(broker, acknowledged, $"call {failingCall}, once there is room");
            if (failingCall % 2 == 1)
                TemporaryDirectory.Copy(data.Path, data.Path + "-killed"); // what a killed process leaves
        }
        catch (IOException) when (acknowledged.Records.Count == 0)
        {
            // it could not start
        }
        var path = Directory.Exists(data.Path + "-killed") ? data.Path + "-killed" : data.Path;
        using (var again = new Broker(path, options with { Disk = new FaultyDisk() }))
            Check(again, acknowledged, $"call {failingCall}, after the restart");
        if (path != data.Path)
            Directory.Delete(path, recursive: true);
        return disk.Calls;
    }

    private static void Live(Broker broker, Acknowledged acknowledged)
    {
        foreach (var topic in new[] { "events", "more" })
        {
            if (broker.CreateTopic(topic, 1, new Dictionary<string, string>()).Error == ErrorCode.None)
                acknowledged.Topics.Add(topic);
        }
        var group = broker.Groups.FindOrAdd("readers");
        for (var i = 0; i < Attempts; i++)
        {
            var value = Guid.CreateVersion7().ToString();
            if (broker.FindLog("events", 0)?.Append(Batches.Build(value)) is not { Error: ErrorCode.None } appended)
                continue;
            acknowledged.Records.Add((appended.BaseOffset, value));
            Attempt(() =>
            {
                broker.Groups.Commit(group, [("events", 0, new(appended.BaseOffset, 0, "", broker.Now))]);
                acknowledged.Committed = appended.BaseOffset;
            });
            if (i % 5 == 4)
                broker.Flush();
        }
        Attempt(() =>
        {
            if (broker.FindTopic("more") is not null && broker.AddPartitions("more", broker.FindTopic("more")!.Partitions.Count + 1, validateOnly: false).Error == ErrorCode.None)
                acknowledged.Partitions = broker.FindTopic("more")!.Partitions.Count;
        });
        Attempt(() => acknowledged.ProducerIds.Add(broker.NextProducerId()));
    }

    private static void Attempt(Action action)
    {
        try
        {
            action();
        }
        catch (IOException)
        {
            // refused
        }
    }

    private static void Check(Broker broker, Acknowledged acknowledged, string when)
    {
        Assert.All(acknowledged.Topics, topic => Assert.True(broker.FindTopic(topic) is not null, $"{when}: topic {topic} is gone"));
        if (acknowledged.Records.Count > 0)
        {
            var read = Batches.ReadAll(broker.FindLog("events", 0)!).Select(record => (record.Offset, record.Value!)).ToList();
            Assert.True(acknowledged.Records.SequenceEqual(read), $"{when}: {acknowledged.Records.Count} records were acknowledged, and {read.Count} are read");
        }
        if (acknowledged.Committed is { } committed)
            Assert.True(broker.Groups.FindOrAdd("readers").Offsets[("events", 0)].Offset == committed, $"{when}: another offset is committed");
        if (acknowledged.Partitions > 0)
            Assert.True(broker.FindTopic("more")!.Partitions.Count == acknowledged.Partitions, $"{when}: the topic has other partitions");
        Assert.True(acknowledged.ProducerIds.Distinct().Count() == acknowledged.ProducerIds.Count, $"{when}: a producer id was given twice");
    }

    private sealed class Acknowledged
    {
        public HashSet<string> Topics { get; } = [];

        public List<(long Offset, string Value)> Records { get; } = [];

        public long? Committed { get; set; }

        public int Partitions { get; set; }

        public List<long> ProducerIds { get; } = [];
    }
}
