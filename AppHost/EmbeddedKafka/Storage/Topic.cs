namespace Shop.KafkaBroker;

/// <summary>A topic and its partitions. A topic deleted and made again under the same name is another topic, with another number and directory.</summary>
/// <param name="number">Numbers topics in the order of their creation; never used twice.</param>
/// <param name="name">The name clients use.</param>
/// <param name="config">Its settings.</param>
/// <param name="dataDirectory">The broker's data directory.</param>
internal sealed class Topic(int number, string name, TopicConfig config, string dataDirectory)
{
    private volatile PartitionLog[] _partitions = [];

    public int Number { get; } = number;

    public string Name { get; } = name;

    public string Directory { get; } = Path.Combine(dataDirectory, $"{name}-{number}");

    public TopicConfig Config { get; set; } = config;

    public IReadOnlyList<PartitionLog> Partitions => _partitions;

    /// <summary>Whether a name is allowed: up to 249 letters, digits, dots, underscores and hyphens.</summary>
    public static bool IsValidName(string name) => name.Length is > 0 and <= 249 && name is not "." and not ".."
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>Opens further partitions, up to a count.</summary>
    public void OpenPartitions(Broker broker, int count, Func<int, long> logStartOffset) =>
        _partitions = [.. _partitions, .. Enumerable.Range(_partitions.Length, count - _partitions.Length)
            .Select(partition => new PartitionLog(broker, this, partition, logStartOffset(partition)))];

    /// <summary>The log of a partition, or null.</summary>
    public PartitionLog? Log(int partition)
    {
        var partitions = _partitions;
        return (uint)partition < (uint)partitions.Length ? partitions[partition] : null;
    }
}
