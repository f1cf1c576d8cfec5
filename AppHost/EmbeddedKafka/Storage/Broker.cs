using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>
/// The broker behind the connections: topics, groups, producer ids, and the journal that keeps them. Every change is
/// appended to the journal and then made in memory, under one lock; records never take that lock.
/// </summary>
internal sealed partial class Broker : IDisposable
{
    public const int NodeId = 1;

    private const int ProducerIdBlock = 1000;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Topic> _topics = [];
    private readonly FileStream _lockFile;
    private readonly Journal _journal;
    private int _nextTopicNumber = 1;
    private long _nextProducerId;
    private long _reservedProducerIds;

    /// <summary>Opens the data in a directory.</summary>
    /// <exception cref="IOException">Another broker uses the directory, or it cannot be written.</exception>
    public Broker(string directory, EmbeddedKafkaOptions options)
    {
        Options = options;
        DataDirectory = directory;
        Groups = new(this);
        Directory.CreateDirectory(directory);
        // the system drops the lock with the process, however that ends
        _lockFile = new(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var replay = new JournalReplay(Groups);
        _journal = new(directory, replay.Read);
        ClusterId = replay.ClusterId ?? "";
        _nextTopicNumber = replay.NextTopicNumber;
        _nextProducerId = _reservedProducerIds = replay.ReservedProducerIds;
        if (replay.ClusterId is null)
        {
            ClusterId = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            Change(WriteCluster, () => { });
        }
        RemoveOrphans(replay);
        foreach (var (number, entry) in replay.Topics)
        {
            var topic = new Topic(number, entry.Name, new(entry.Configs, Options.TopicDefaults), this);
            topic.OpenPartitions(entry.Partitions, partition => entry.LogStartOffsets.GetValueOrDefault(partition));
            _topics[topic.Name] = topic;
        }
    }

    public EmbeddedKafkaOptions Options { get; }

    public ILogger Logger => Options.Logger;

    public string DataDirectory { get; }

    public string ClusterId { get; private set; }

    /// <summary>The port that clients are told to connect to.</summary>
    public int Port { get; set; }

    public GroupCoordinator Groups { get; }

    public IEnumerable<Topic> Topics => _topics.Values;

    public long Now => Options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();

    public Topic? FindTopic(string name) => _topics.GetValueOrDefault(name);

    public PartitionLog? FindLog(string topic, int partition) => FindTopic(topic)?.Log(partition);

    /// <summary>Runs a function under the lock that every change takes: for reading what changes under it.</summary>
    public T Locked<T>(Func<T> read)
    {
        lock (_lock)
            return read();
    }

    /// <summary>Appends a change to the journal, then makes it.</summary>
    /// <exception cref="IOException">The disk is full or failed; nothing was changed.</exception>
    public void Change(Action<ResponseWriter> entry, Action apply)
    {
        lock (_lock)
        {
            _journal.Append(entry, Options.FlushEveryAppend);
            apply();
            if (_journal.Outgrown)
                _journal.Rewrite(Snapshot());
        }
    }

    /// <summary>Makes a topic.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="partitions">How many partitions; -1 for the default.</param>
    /// <param name="configs">Its settings.</param>
    /// <param name="validateOnly">Whether to check only.</param>
    public (ErrorCode Error, string? Message) CreateTopic(string name, int partitions, IReadOnlyDictionary<string, string> configs, bool validateOnly = false)
    {
        if (partitions == -1)
            partitions = Options.DefaultPartitions;
        if (Topic.Refuse(name) is { } reason)
            return (ErrorCode.InvalidTopic, reason);
        lock (_lock)
        {
            if (_topics.ContainsKey(name))
                return (ErrorCode.TopicAlreadyExists, $"Topic '{name}' already exists.");
            if (partitions < 1)
                return (ErrorCode.InvalidPartitions, "Number of partitions was set to an invalid non-positive value.");
            if (partitions + _topics.Values.Sum(topic => topic.Partitions.Count) > Options.MaxPartitions)
                return (ErrorCode.InvalidPartitions, $"This broker holds at most {Options.MaxPartitions} partitions.");
            if (validateOnly)
                return (ErrorCode.None, null);
            var topic = new Topic(_nextTopicNumber, name, new(configs, Options.TopicDefaults), this);
            try
            {
                topic.OpenPartitions(partitions, static _ => 0);
                Change(w => WriteTopic(w, topic), () =>
                {
                    _nextTopicNumber++;
                    _topics[name] = topic;
                });
            }
            catch (IOException failure)
            {
                Remove(topic);
                LogChangeFailed(Logger, failure, name);
                return (ErrorCode.KafkaStorageError, failure.Message);
            }
        }
        LogTopicCreated(Logger, name, partitions);
        return (ErrorCode.None, null);
    }

    /// <summary>Deletes a topic, its records, and every group's offsets in it.</summary>
    public ErrorCode DeleteTopic(string name)
    {
        lock (_lock)
        {
            if (FindTopic(name) is not { } topic)
                return ErrorCode.UnknownTopicOrPartition;
            Change(w =>
            {
                w.Int8((sbyte)JournalEntry.TopicDeleted);
                w.Int32(topic.Number);
                w.String(name);
            }, () =>
            {
                _topics.TryRemove(name, out _);
                Groups.ForgetTopic(name);
            });
            Remove(topic);
        }
        LogTopicDeleted(Logger, name);
        return ErrorCode.None;
    }

    /// <summary>Adds partitions to a topic.</summary>
    public (ErrorCode Error, string? Message) AddPartitions(string name, int count, bool validateOnly)
    {
        lock (_lock)
        {
            if (FindTopic(name) is not { } topic)
                return (ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition.");
            if (count <= topic.Partitions.Count)
                return (ErrorCode.InvalidPartitions, $"The topic {name} currently has {topic.Partitions.Count} partition(s); {count} would not be an increase.");
            if (count - topic.Partitions.Count + _topics.Values.Sum(other => other.Partitions.Count) > Options.MaxPartitions)
                return (ErrorCode.InvalidPartitions, $"This broker holds at most {Options.MaxPartitions} partitions.");
            if (!validateOnly)
            {
                Change(w =>
                {
                    w.Int8((sbyte)JournalEntry.Partitions);
                    w.Int32(topic.Number);
                    w.Int32(count);
                }, () => topic.OpenPartitions(count, static _ => 0));
            }
            return (ErrorCode.None, null);
        }
    }

    /// <summary>Replaces a topic's settings.</summary>
    public void Configure(Topic topic, IReadOnlyDictionary<string, string> values) => Change(w =>
    {
        w.Int8((sbyte)JournalEntry.Configs);
        w.Int32(topic.Number);
        WriteConfigs(w, values);
    }, () => topic.Config = new(values, Options.TopicDefaults));

    /// <summary>Keeps a partition's new first offset.</summary>
    public void KeepLogStart(Topic topic, int partition, long offset) => Change(w =>
    {
        w.Int8((sbyte)JournalEntry.LogStart);
        w.Int32(topic.Number);
        w.Int32(partition);
        w.Int64(offset);
    }, () => { });

    /// <summary>A producer id never given before, not even by an earlier process: blocks are reserved ahead in the journal.</summary>
    public long NextProducerId()
    {
        lock (_lock)
        {
            if (_nextProducerId == _reservedProducerIds)
                Change(w => WriteProducerIds(w, _reservedProducerIds + ProducerIdBlock), () => _reservedProducerIds += ProducerIdBlock);
            return _nextProducerId++;
        }
    }

    /// <summary>Forces everything written to the disk.</summary>
    public void Flush()
    {
        foreach (var topic in Topics)
        {
            foreach (var log in topic.Partitions)
                log.Flush();
        }
        lock (_lock)
            _journal.Flush();
    }

    /// <summary>Does what time asks for: retention, compaction, the expiry of groups' offsets.</summary>
    public void Clean()
    {
        foreach (var topic in Topics)
        {
            foreach (var log in topic.Partitions)
            {
                try
                {
                    log.Clean();
                }
                catch (IOException failure)
                {
                    LogCleanFailed(Logger, failure, topic.Name, log.Partition);
                }
            }
        }
        Groups.Clean();
    }

    /// <summary>Closes everything so that the next process need not recover.</summary>
    public void Dispose()
    {
        Groups.Dispose();
        foreach (var topic in Topics)
        {
            foreach (var log in topic.Partitions)
                log.Close();
        }
        lock (_lock)
        {
            _journal.Rewrite(Snapshot());
            _journal.Dispose();
        }
        _lockFile.Dispose();
    }

    private static void WriteConfigs(ResponseWriter w, IReadOnlyDictionary<string, string> values) => w.Array(values, static (w, pair) =>
    {
        w.String(pair.Key);
        w.String(pair.Value);
    });

    private static void WriteTopic(ResponseWriter w, Topic topic)
    {
        w.Int8((sbyte)JournalEntry.Topic);
        w.Int32(topic.Number);
        w.String(topic.Name);
        WriteConfigs(w, topic.Config.Values);
        w.Array(topic.Partitions, static (w, log) => w.Int64(log.LogStartOffset));
    }

    private static void WriteProducerIds(ResponseWriter w, long reserved)
    {
        w.Int8((sbyte)JournalEntry.ProducerIds);
        w.Int64(reserved);
    }

    private void WriteCluster(ResponseWriter w)
    {
        w.Int8((sbyte)JournalEntry.Cluster);
        w.String(ClusterId);
        w.Int32(_nextTopicNumber);
    }

    private IEnumerable<Action<ResponseWriter>> Snapshot() =>
    [
        WriteCluster,
        w => WriteProducerIds(w, _reservedProducerIds),
        .. Topics.Select<Topic, Action<ResponseWriter>>(topic => w => WriteTopic(w, topic)),
        .. Groups.Snapshot(),
    ];

    private static void Remove(Topic topic)
    {
        foreach (var log in topic.Partitions)
            log.Dispose();
        if (Directory.Exists(topic.Directory))
            Directory.Delete(topic.Directory, recursive: true);
    }

    /// <summary>Removes directories of topics that were deleted, or never finished, when the last process ended.</summary>
    private void RemoveOrphans(JournalReplay replay)
    {
        var known = replay.Topics.Select(pair => $"{pair.Value.Name}-{pair.Key}").ToHashSet();
        foreach (var path in Directory.EnumerateDirectories(DataDirectory))
        {
            if (!known.Contains(Path.GetFileName(path)))
                Directory.Delete(path, recursive: true);
        }
    }

    [LoggerMessage(EventName = "TopicCreated", Level = LogLevel.Information, Message = "Created topic {Topic} with {Partitions} partitions")]
    private static partial void LogTopicCreated(ILogger logger, string topic, int partitions);

    [LoggerMessage(EventName = "TopicDeleted", Level = LogLevel.Information, Message = "Deleted topic {Topic}")]
    private static partial void LogTopicDeleted(ILogger logger, string topic);

    [LoggerMessage(EventName = "ChangeFailed", Level = LogLevel.Error, Message = "Creating topic {Topic} failed")]
    private static partial void LogChangeFailed(ILogger logger, Exception failure, string topic);

    [LoggerMessage(EventName = "CleanFailed", Level = LogLevel.Error, Message = "Cleaning {Topic}-{Partition} failed; it is tried again")]
    private static partial void LogCleanFailed(ILogger logger, Exception failure, string topic, int partition);
}
