namespace Shop.KafkaBroker;

/// <summary>A topic and its partitions. A topic deleted and made again under the same name is another topic, with another number and directory.</summary>
/// <param name="number">Numbers topics in the order of their creation; never used twice.</param>
/// <param name="id">The id by which the protocol tells topics of the same name apart (KIP-516).</param>
/// <param name="name">The name clients use.</param>
/// <param name="config">Its settings.</param>
/// <param name="broker">The broker it belongs to.</param>
internal sealed class Topic(int number, Guid id, string name, TopicConfig config, Broker broker) : IDisposable
{
    private const int MaxNameLength = 249;
    private volatile PartitionLog[] _partitions = [];

    public int Number { get; } = number;

    public string Name { get; } = name;

    public string Directory { get; } = Path.Combine(broker.TopicsDirectory, $"{name}-{number}");

    public Guid Id { get; } = id;

    public TopicConfig Config { get; set; } = config;

    public IReadOnlyList<PartitionLog> Partitions => _partitions;

    /// <summary>Why a name is not allowed, in Apache Kafka's words; null when it is.</summary>
    public static string? Refuse(string name) => name switch
    {
        "" => "Topic name is invalid: the empty string is not allowed",
        "." or ".." => $"Topic name is invalid: '{name}' is not allowed",
        { Length: > MaxNameLength } => $"Topic name is invalid: the length of '{name}' is longer than the max allowed length {MaxNameLength}",
        _ when !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') =>
            $"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        _ => null,
    };

    /// <summary>Opens the logs of further partitions, up to a count, without showing them yet.</summary>
    /// <exception cref="IOException">The disk is full or failed; none is open.</exception>
    public List<PartitionLog> Open(int count, Func<int, long> logStartOffset)
    {
        var opened = new List<PartitionLog>();
        try
        {
            for (var partition = _partitions.Length; partition < count; partition++)
                opened.Add(new(broker, this, partition, logStartOffset(partition)));
            return opened;
        }
        catch
        {
            opened.ForEach(log => log.Dispose());
            throw;
        }
    }

    /// <summary>Shows further partitions.</summary>
    public void Add(IEnumerable<PartitionLog> opened) => _partitions = [.. _partitions, .. opened];

    /// <summary>Closes the logs without making them durable.</summary>
    public void Dispose()
    {
        foreach (var log in _partitions)
            log.Dispose();
    }

    /// <summary>The log of a partition, or null.</summary>
    public PartitionLog? Log(int partition)
    {
        var partitions = _partitions;
        return (uint)partition < (uint)partitions.Length ? partitions[partition] : null;
    }
}
