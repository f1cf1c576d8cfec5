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
    private const string DeletedSuffix = ".deleted";
    private const string AsideSuffix = ".aside";
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Topic> _topics = [];
    private readonly FileStream _lockFile;
    private readonly Journal _journal;
    private bool _writesFail;
    private int _nextTopicNumber = 1;
    private long _nextProducerId;
    private long _reservedProducerIds;

    /// <summary>Opens the data in a directory.</summary>
    /// <exception cref="IOException">Another broker uses the directory, or it cannot be written.</exception>
    /// <exception cref="InvalidDataException">A file in it is damaged.</exception>
    public Broker(string directory, EmbeddedKafkaOptions options)
    {
        Options = options;
        Groups = new(this);
        TopicsDirectory = Path.Combine(directory, "topics");
        Directory.CreateDirectory(TopicsDirectory);
        // the system drops the lock with the process, however that ends
        _lockFile = new(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            var replay = new JournalReplay(Groups);
            _journal = new(options.Disk, directory, replay.Read);
            ClusterId = replay.ClusterId ?? Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            LeaderEpoch = replay.LeaderEpoch + 1;
            _nextTopicNumber = replay.NextTopicNumber;
            _nextProducerId = _reservedProducerIds = replay.ReservedProducerIds;
            SetAsideUnknown(replay);
            foreach (var (number, entry) in replay.Topics)
            {
                var topic = new Topic(number, entry.Id, entry.Name, new(entry.Configs, Options.TopicDefaults), this);
                topic.Add(topic.Open(entry.Partitions, partition => entry.LogStartOffsets.GetValueOrDefault(partition)));
                _topics[topic.Name] = topic;
            }
            _journal.Rewrite(Snapshot()); // the epoch is on the disk before anybody hears of it
            foreach (var log in Topics.SelectMany(topic => topic.Partitions))
                log.Begin();
        }
        catch
        {
            foreach (var topic in Topics)
                topic.Dispose();
            _journal?.Dispose();
            _lockFile.Dispose();
            throw;
        }
    }

    public EmbeddedKafkaOptions Options { get; }

    public ILogger Logger => Options.Logger;

    /// <summary>Where the topics' directories are. Directories of topics that the journal does not know are beside them, set aside.</summary>
    public string TopicsDirectory { get; }

    public string ClusterId { get; }

    /// <summary>Counts the starts of the broker: what tells a log that lost its tail, and went on, from the one it was.</summary>
    public int LeaderEpoch { get; }

    /// <summary>The port that clients are told to connect to.</summary>
    public int Port { get; set; }

    public GroupCoordinator Groups { get; }

    public IEnumerable<Topic> Topics => _topics.Values;

    public long Now => Options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();

    public Topic? FindTopic(string name) => _topics.GetValueOrDefault(name);

    /// <summary>Whether a client knows the present leader epoch; one that knows none (-1) is not asked.</summary>
    public ErrorCode CheckLeaderEpoch(int known) =>
        known < 0 || known == LeaderEpoch ? ErrorCode.None : known < LeaderEpoch ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch;

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
            try
            {
                _journal.Append(entry, Options.FlushEveryAppend);
            }
            catch (IOException failure)
            {
                WriteFailed(failure);
                throw;
            }
            WriteSucceeded();
            apply();
            if (_journal.Outgrown)
                TryRewriteJournal();
        }
    }

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
        try
        {
            if (Locked(_journal.TakeUnflushed) is { } file)
                Options.Disk.Flush(file);
        }
        catch (ObjectDisposedException)
        {
            // written anew meanwhile, and flushed by that
        }
        catch (IOException failure)
        {
            lock (_lock)
                _journal.FlushFailed();
            WriteFailed(failure);
        }
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

    /// <summary>Says that the disk is full or fails, once until writing succeeds again.</summary>
    public void WriteFailed(IOException failure)
    {
        if (!Interlocked.Exchange(ref _writesFail, true))
            LogWriteFailed(Logger, failure);
    }

    /// <summary>Says that writing succeeds again after it did not.</summary>
    public void WriteSucceeded()
    {
        if (Volatile.Read(ref _writesFail) && Interlocked.Exchange(ref _writesFail, false))
            LogWriteSucceeded(Logger);
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
            TryRewriteJournal();
            _journal.Dispose();
        }
        _lockFile.Dispose();
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
        w =>
        {
            w.Int8((sbyte)JournalEntry.LeaderEpoch);
            w.Int32(LeaderEpoch);
        },
        w => WriteProducerIds(w, _reservedProducerIds),
        .. Topics.Select<Topic, Action<ResponseWriter>>(topic => w => WriteTopic(w, topic)),
        .. Groups.Snapshot(),
    ];

    private void TryRewriteJournal()
    {
        try
        {
            _journal.Rewrite(Snapshot());
        }
        catch (IOException failure)
        {
            WriteFailed(failure); // the old one says the same at greater length
        }
    }

    /// <summary>Removes directories of topics that were deleted, or never finished, when the last process ended; what holds records that nobody knows is kept aside.</summary>
    private void SetAsideUnknown(JournalReplay replay)
    {
        var known = replay.Topics.Select(pair => $"{pair.Value.Name}-{pair.Key}").ToHashSet();
        foreach (var path in Directory.EnumerateDirectories(TopicsDirectory).ToList())
        {
            var name = Path.GetFileName(path);
            if (known.Contains(name) || name.EndsWith(AsideSuffix, StringComparison.Ordinal))
                continue;
            if (replay.Deleted.Contains(name) || name.EndsWith(DeletedSuffix, StringComparison.Ordinal)
                || Directory.EnumerateFiles(path, "*.log", SearchOption.AllDirectories).All(file => new FileInfo(file).Length == 0))
            {
                Directory.Delete(path, recursive: true);
                continue;
            }
            var aside = $"{path}.{Now}{AsideSuffix}";
            Directory.Move(path, aside);
            LogSetAside(Logger, aside);
        }
    }

    [LoggerMessage(EventName = "CleanFailed", Level = LogLevel.Error, Message = "Cleaning {Topic}-{Partition} failed; it is tried again")]
    private static partial void LogCleanFailed(ILogger logger, Exception failure, string topic, int partition);

    [LoggerMessage(EventName = "WriteFailed", Level = LogLevel.Error, Message = "Writing failed, so what is produced, committed and created is refused until it succeeds")]
    private static partial void LogWriteFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventName = "WriteSucceeded", Level = LogLevel.Information, Message = "Writing succeeds again")]
    private static partial void LogWriteSucceeded(ILogger logger);

    [LoggerMessage(EventName = "TopicSetAside", Level = LogLevel.Error, Message = "The journal knows no topic of these records; they are kept in {Directory}")]
    private static partial void LogSetAside(ILogger logger, string directory);
}
