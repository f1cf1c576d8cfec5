namespace Shop.KafkaBroker.Tests;

/// <summary>Tests of what a broker keeps in a directory: they open, close and kill it there.</summary>
public abstract class DiskTests : IDisposable
{
    private readonly TemporaryDirectory _data = new();
    private Broker? _broker;

    private protected static Dictionary<string, string> SmallSegments { get; } = new() { ["segment.bytes"] = "2000" };

    private protected string DataPath => _data.Path;

    private protected ManualClock Time { get; } = new(1_700_000_000_000);

    private protected CollectedLog Said { get; } = new();

    private protected Broker Broker => _broker ?? throw new InvalidOperationException("no broker is open");

    public void Dispose()
    {
        _broker?.Dispose();
        _data.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void OpenBroker() => _broker = new(_data.Path, new() { TimeProvider = Time, Logger = Said });

    /// <summary>Makes a topic of one partition, on a broker that is opened where none is.</summary>
    private protected PartitionLog Open(string topic, Dictionary<string, string>? configs = null)
    {
        if (_broker is null)
            OpenBroker();
        Assert.Equal(ErrorCode.None, Broker.CreateTopic(topic, 1, configs ?? []).Error);
        return Broker.FindLog(topic, 0)!;
    }

    private protected void Close()
    {
        Broker.Dispose();
        _broker = null;
    }

    private protected void Restart(bool clean)
    {
        if (clean)
            Close();
        else
            Kill();
        OpenBroker();
    }

    /// <summary>What a killed process leaves: everything written, nothing closed.</summary>
    private protected void Kill()
    {
        var copy = _data.Path + "-killed";
        TemporaryDirectory.Copy(_data.Path, copy);
        Close();
        Directory.Delete(_data.Path, recursive: true);
        Directory.Move(copy, _data.Path);
    }

    /// <summary>The files of a topic's segments, in the order of their offsets.</summary>
    private protected string[] LogsOf(string topic) =>
        [.. Directory.GetFiles(_data.Path, "*.log", SearchOption.AllDirectories).Where(file => file.Contains($"{Path.DirectorySeparatorChar}{topic}-", StringComparison.Ordinal)).Order()];

    /// <summary>Appends records of which compaction removes every second one.</summary>
    private protected static void AppendWithGaps(PartitionLog log, int count)
    {
        for (var i = 0; i < count; i++)
            Assert.Equal(i, log.Append(Batches.Build([(i % 2 == 0 ? $"key {i}" : "same", $"{i}")])).BaseOffset);
    }

    private protected static void Append(PartitionLog log, int first, int count)
    {
        for (var i = first; i < first + count; i++)
            Assert.Equal(new(ErrorCode.None, i, log.LogStartOffset), log.Append(Batches.Build($"{i}")));
    }
}
