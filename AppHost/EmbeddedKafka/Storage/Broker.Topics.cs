using Microsoft.Extensions.Logging;

namespace Shop.KafkaBroker;

/// <summary>What is done to topics as a whole.</summary>
internal sealed partial class Broker
{
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
            var topic = new Topic(_nextTopicNumber, Guid.CreateVersion7(), name, new(configs, Options.TopicDefaults), this);
            try
            {
                topic.Add(topic.Open(partitions, static _ => 0));
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
            if (count == topic.Partitions.Count)
                return (ErrorCode.InvalidPartitions, $"Topic already has {count} partition(s).");
            if (count < topic.Partitions.Count)
                return (ErrorCode.InvalidPartitions, $"The topic {name} currently has {topic.Partitions.Count} partition(s); {count} would not be an increase.");
            if (count - topic.Partitions.Count + _topics.Values.Sum(other => other.Partitions.Count) > Options.MaxPartitions)
                return (ErrorCode.InvalidPartitions, $"This broker holds at most {Options.MaxPartitions} partitions.");
            if (validateOnly)
                return (ErrorCode.None, null);
            var opened = topic.Open(count, static _ => 0);
            try
            {
                Change(w =>
                {
                    w.Int8((sbyte)JournalEntry.Partitions);
                    w.Int32(topic.Number);
                    w.Int32(count);
                }, () => topic.Add(opened));
            }
            catch
            {
                opened.ForEach(log => log.Dispose()); // their empty files are what a later attempt begins with
                throw;
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
        w.Uuid(topic.Id);
    }

    private void Remove(Topic topic)
    {
        topic.Dispose();
        if (!Directory.Exists(topic.Directory))
            return;
        try
        {
            Directory.Move(topic.Directory, topic.Directory + DeletedSuffix); // from here on the next start deletes it too
            Directory.Delete(topic.Directory + DeletedSuffix, recursive: true);
        }
        catch (IOException failure)
        {
            WriteFailed(failure);
        }
    }

    [LoggerMessage(EventName = "TopicCreated", Level = LogLevel.Information, Message = "Created topic {Topic} with {Partitions} partitions")]
    private static partial void LogTopicCreated(ILogger logger, string topic, int partitions);

    [LoggerMessage(EventName = "TopicDeleted", Level = LogLevel.Information, Message = "Deleted topic {Topic}")]
    private static partial void LogTopicDeleted(ILogger logger, string topic);

    [LoggerMessage(EventName = "ChangeFailed", Level = LogLevel.Error, Message = "Creating topic {Topic} failed")]
    private static partial void LogChangeFailed(ILogger logger, Exception failure, string topic);
}
