using System.Diagnostics;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Consuming;
using Shop.Messaging.Streams;
using Shop.Messaging.Workers;

namespace Shop.Activity.Warehouse;

/// <summary>
/// Writes every record of every topic into files, each once: a file is a range of offsets, where the last one ends the next begins, and one
/// process writes at a time. No position is kept anywhere else.
/// </summary>
internal sealed partial class WarehouseWriter(LogReaders logs, IWarehouse warehouse, IOptions<WarehouseOptions> options, WarehouseHealth health, TimeProvider time, ILogger<WarehouseWriter> logger) : IWorker
{
    /// <summary>What all rows that wait to be written, or are being written, may take before compression.</summary>
    private const long MaxWaitingBytes = 96L << 20;

    private static readonly TimeSpan LockInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TopicsInterval = TimeSpan.FromSeconds(10);

    /// <summary>How long more records of what is left out wait at most to be looked at: then all is opened again, which ends the files of all partitions.</summary>
    private static readonly TimeSpan LongestLeftOutInterval = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _compressing = new(Environment.ProcessorCount);
    private readonly Dictionary<(string Topic, int Partition), PartitionWriter> _partitions = [];
    private readonly WarehouseMerger _merger = new(options, time, logger);
    private HashSet<(string Topic, int Partition)> _leftOut = [];
    private TimeSpan _leftOutInterval = TopicsInterval;
    private long _openedAt;
    private bool _isBeingRead, _looksAgain;
    private long _waitingBytes;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (!await warehouse.TryWriteAsync(ArchiveAsync, stoppingToken))
        {
            // whoever writes there tells what is left out
            health.LeaveOut([]);
            await Task.Delay(LockInterval, time, stoppingToken);
        }
    }

    private async Task ArchiveAsync(CancellationToken held)
    {
        // again where there are topics or partitions that were not there before
        while (true)
        {
            using var reader = logs.Open();
            try
            {
                await ArchiveAsync(reader, held);
            }
            finally
            {
                // the lock is held, and no file looked for, until nothing is written any more
                await EndWritingAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ArchiveAsync(LogReader reader, CancellationToken stoppingToken)
    {
        var there = await OpenAsync(reader, stoppingToken);
        long mergedAt = time.GetTimestamp(), lookedAt = mergedAt;
        await foreach (var batch in reader.ReadAsync(_partitions.Values.Select(partition => (partition.Topic, partition.Partition, partition.Next)), stoppingToken))
        {
            foreach (var record in batch)
            {
                // made anew at this moment: what that means is found out by opening it again
                if (record.Offset < _partitions[(record.Topic, record.Partition)].Next)
                    return;
                await AddAsync(record, stoppingToken);
            }
            foreach (var failed in _partitions.Values.Where(partition => partition.Writing is { IsCompleted: true, IsCompletedSuccessfully: false }))
                await failed.Writing;
            foreach (var partition in _partitions.Values.Where(partition => IsOverdue(partition, reader)).ToList())
            {
                var hasLostItsEnd = !reader.IsPassed((partition.Topic, partition.Partition), partition.Begun!.Last + 1);
                await EndBegunAsync(partition, stoppingToken);
                // its topic ends before its files: what that means is found out by opening it again
                if (hasLostItsEnd)
                    return;
            }
            foreach (var partition in _partitions.Values.Where(partition => partition.Rows.Rows > 0 && partition.Begun is null && time.GetElapsedTime(partition.BeganAt) > options.Value.MaxAge))
                await WriteAsync(partition, stoppingToken);
            if (warehouse is LocalWarehouse local && time.GetElapsedTime(mergedAt) > options.Value.MergeInterval)
            {
                await EndWritingAsync();
                await _merger.MergeAsync(local, stoppingToken);
                mergedAt = time.GetTimestamp();
            }
            if (time.GetElapsedTime(lookedAt) > TopicsInterval)
            {
                _looksAgain = IsOtherwise(there, reader.PartitionsOf(Topics.All));
                if (_looksAgain)
                    break;
                lookedAt = time.GetTimestamp();
            }
        }
        foreach (var partition in _partitions.Values.Where(partition => partition.Rows.Rows > 0 && partition.Begun is null))
            await WriteAsync(partition, stoppingToken);
        await EndWritingAsync();
    }

    /// <summary>
    /// Finds out where each partition goes on, and which cannot: they wait, and hold up no others. Where a partition has less than its files and nothing shows that
    /// its topic is theirs, that may have been made anew, and all its partitions of which there are files wait.
    /// </summary>
    /// <returns>The partitions that there are.</returns>
    private async Task<IReadOnlyList<LogPartition>> OpenAsync(LogReader reader, CancellationToken cancellationToken)
    {
        _partitions.Clear();
        _waitingBytes = 0;
        // first what is begun: the files before it are there, and so in the list
        var begun = await warehouse.BegunAsync(cancellationToken);
        var files = (await warehouse.RecoverAsync(cancellationToken)).ToLookup(file => (file.Topic, file.Partition));
        var partitions = reader.PartitionsOf(Topics.All);
        var (likeness, known) = await LogComparison.CompareAsync(warehouse, reader, partitions, files, cancellationToken);
        var leftOut = new HashSet<(string Topic, int Partition)>();
        _isBeingRead = false;
        foreach (var topic in partitions.GroupBy(partition => partition.Topic.Name))
        {
            var isAnew = topic.Any(partition => likeness[partition] == LogLikeness.Another);
            var aside = isAnew ? await warehouse.SupersedeAsync(topic.Key, time.GetUtcNow(), cancellationToken) : null;
            if (aside is not null)
                TopicReplaced(logger, topic.Key, aside);
            else if (isAnew)
                leftOut.UnionWith(topic.Select(KeyOf));
            else if (topic.Any(partition => likeness[partition] == LogLikeness.Shorter))
                leftOut.UnionWith(topic.Where(partition => likeness[partition] == LogLikeness.Shorter || (!known.Contains(topic.Key) && files.Contains(KeyOf(partition)))).Select(KeyOf));
            // it is superseded when nobody reads
            _isBeingRead |= isAnew && aside is null;
            foreach (var partition in topic.Where(partition => !leftOut.Contains(KeyOf(partition))))
                Add(partition, aside is null ? files[KeyOf(partition)].MaxBy(file => file.Last) : null, aside is null ? begun : null);
        }
        foreach (var partition in _partitions.Values.Where(partition => begun.Keys.Any(key => (key.Topic, key.Partition) == (partition.Topic, partition.Partition) && key.Begin > partition.Begin)))
            await warehouse.ForgetBegunAsync(partition.Topic, partition.Partition, partition.Begin, cancellationToken);
        var (names, before) = (WarehouseHealth.NamesOf(leftOut, partitions), WarehouseHealth.NamesOf(_leftOut, partitions));
        foreach (var name in names.Except(before))
            TopicLeftOut(logger, name);
        if (leftOut.Count == 0 || !_leftOut.SetEquals(leftOut))
            _leftOutInterval = TopicsInterval;
        // what more records did not change they will hardly change soon; a file that could not be written says nothing about them
        else if (_looksAgain)
            _leftOutInterval = TimeSpan.FromTicks(Math.Min(2 * _leftOutInterval.Ticks, LongestLeftOutInterval.Ticks));
        (_leftOut, _openedAt, _looksAgain) = (leftOut, time.GetTimestamp(), false);
        health.LeaveOut(names);
        WarehouseOpened(logger, _partitions.Count);
        return partitions;
    }

    private static (string Topic, int Partition) KeyOf(LogPartition partition) => (partition.Topic.Name, partition.Partition);

    private void Add(LogPartition partition, WarehouseFile? last, IReadOnlyDictionary<(string Topic, int Partition, long Begin), WarehouseFile>? begun)
    {
        var next = last?.Last + 1 ?? partition.First;
        if (next < partition.First)
            RecordsMissed(logger, partition.Topic.Name, partition.Partition, next, partition.First - 1);
        // where the log has dropped what was to be there, the file that is begun begins behind the last one, or with what was dropped: who began it may be sending it still
        var begin = begun?.Keys.Where(key => (key.Topic, key.Partition) == KeyOf(partition) && key.Begin >= (last?.Last + 1 ?? 0) && key.Begin <= Math.Max(next, partition.First))
            .Select(key => (long?)key.Begin).Min() ?? next;
        _partitions.Add(KeyOf(partition), new(partition.Topic.Name, partition.Partition, Math.Max(next, partition.First), last?.Hour ?? default)
        {
            Begun = begun?.GetValueOrDefault((partition.Topic.Name, partition.Partition, begin)),
            Begin = begin,
        });
    }

    /// <summary>Whether there is another partition than before, or after a while another record of one that is left out, or a topic to be archived anew.</summary>
    private bool IsOtherwise(IReadOnlyList<LogPartition> before, IReadOnlyList<LogPartition> now) =>
        _isBeingRead || now.Count > before.Count
            || (time.GetElapsedTime(_openedAt) > _leftOutInterval && now.Any(partition => _leftOut.Contains(KeyOf(partition)) && !before.Contains(partition)));

    private async Task AddAsync(ConsumedRecord record, CancellationToken cancellationToken)
    {
        var partition = _partitions[(record.Topic, record.Partition)];
        if (partition.Begun is { } begun && record.Offset > begun.Last)
            await EndBegunAsync(partition, cancellationToken);
        var hour = partition.Begun?.Hour ?? HourOf(record, partition.Hour);
        if (partition.Rows.Rows > 0 && hour != partition.Hour)
            await WriteAsync(partition, cancellationToken);
        if (partition.Rows.Rows == 0)
            (partition.First, partition.Hour, partition.BeganAt) = (record.Offset, hour, time.GetTimestamp());
        var before = partition.Rows.Bytes;
        partition.Rows.Add(record);
        partition.Next = record.Offset + 1;
        var waiting = Interlocked.Add(ref _waitingBytes, partition.Rows.Bytes - before);
        if (partition.Begun?.Last == record.Offset)
        {
            await EndBegunAsync(partition, cancellationToken);
        }
        else if (partition.Begun is null && partition.Rows.Bytes >= options.Value.MaxSize)
        {
            await WriteAsync(partition, cancellationToken);
        }
        else if (waiting >= MaxWaitingBytes)
        {
            if (_partitions.Values.Where(other => other.Begun is null).MaxBy(other => other.Rows.Bytes) is { Rows.Rows: > 0 } largest)
                await WriteAsync(largest, cancellationToken);
            await EndWritingAsync();
        }
    }

    /// <summary>
    /// Whether a file that somebody had begun waits for records that do not come: they were dropped, or the topic has lost them, which is believed when it has
    /// ended before them for as long as a file may wait, however it grows meanwhile.
    /// </summary>
    private bool IsOverdue(PartitionWriter partition, LogReader reader)
    {
        if (partition.Begun is not { } begun)
            return false;
        var key = (partition.Topic, partition.Partition);
        if (reader.IsPassed(key, begun.Last + 1))
            return true;
        if (partition.Rows.Rows == 0 || !reader.IsPassed(key, partition.Next))
            return false;
        partition.EndedAt ??= time.GetTimestamp();
        return time.GetElapsedTime(partition.EndedAt.Value) > options.Value.MaxAge;
    }

    /// <summary>Writes the file that somebody had begun, with what is there of its records: those that Kafka has dropped since are gone.</summary>
    private async Task EndBegunAsync(PartitionWriter partition, CancellationToken cancellationToken)
    {
        if (partition.Rows.Rows > 0)
            await WriteAsync(partition, cancellationToken);
        (partition.Begin, partition.Begun) = (partition.Begun!.Last + 1, null);
    }

    /// <summary>Begins to write what waits of a partition, once its file before is there: rows are gathered while files are written.</summary>
    private async Task WriteAsync(PartitionWriter partition, CancellationToken cancellationToken)
    {
        await partition.Writing;
        var file = partition.Begun ?? new WarehouseFile(partition.Topic, partition.Partition, partition.Hour, partition.First, partition.Next - 1);
        var (rows, begin) = (partition.TakeRows(), partition.Begin);
        partition.Begin = file.Last + 1;
        partition.Writing = Task.Run(() => WriteAsync(file, begin, rows, cancellationToken), CancellationToken.None);
    }

    private async Task WriteAsync(WarehouseFile file, long begin, RowBuffer rows, CancellationToken cancellationToken)
    {
        var (count, bytes) = (rows.Rows, rows.Bytes);
        await _compressing.WaitAsync(cancellationToken);
        try
        {
            var began = Stopwatch.GetTimestamp();
            await warehouse.WriteAsync(file, begin, stream => rows.WriteAsync(stream, cancellationToken), cancellationToken);
            Interlocked.Add(ref _waitingBytes, -bytes);
            FileWritten(logger, file.Path, count, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        finally
        {
            _compressing.Release();
        }
    }

    /// <summary>Waits for the files that are being written. Where one failed, everything is found out anew from those that are there.</summary>
    private Task EndWritingAsync() => Task.WhenAll(_partitions.Values.Select(partition => partition.Writing));

    /// <summary>
    /// The hour in which a record was written to its topic, as its timestamp says, never before that of the record ahead of it nor after the hour at
    /// hand: so that each file is one range of offsets, and one hour.
    /// </summary>
    private DateTimeOffset HourOf(ConsumedRecord record, DateTimeOffset before)
    {
        var now = time.GetUtcNow();
        var written = record.Timestamp < now ? record.Timestamp : now;
        var hour = new DateTimeOffset(written.UtcTicks - (written.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        return hour > before ? hour : before;
    }

    [LoggerMessage(EventName = "WarehouseOpened", Level = LogLevel.Information, Message = "The warehouse is written by this instance, {Partitions} partitions")]
    private static partial void WarehouseOpened(ILogger logger, int partitions);

    [LoggerMessage(EventName = "WarehouseFileWritten", Level = LogLevel.Debug, Message = "{Path} has {Rows} rows, written in {Milliseconds} ms")]
    private static partial void FileWritten(ILogger logger, string path, int rows, double milliseconds);

    [LoggerMessage(EventName = "WarehouseTopicReplaced", Level = LogLevel.Error, Message = "{Topic} is not the topic that the warehouse's files are from: it was made anew, and is archived from its beginning. The files are kept in {Aside}, where nobody reads them")]
    private static partial void TopicReplaced(ILogger logger, string topic, string aside);

    [LoggerMessage(EventName = "WarehouseTopicLeftOut", Level = LogLevel.Error, Message = "{Log} ends before what the warehouse has of it: it lost its end, or was made anew. It is not archived until it is known which")]
    private static partial void TopicLeftOut(ILogger logger, string log);

    [LoggerMessage(EventName = "WarehouseRecordsMissed", Level = LogLevel.Error, Message = "{Topic}[{Partition}] has no records {First} to {Last} any more, and the warehouse never had them: Kafka dropped them by age or size")]
    private static partial void RecordsMissed(ILogger logger, string topic, int partition, long first, long last);
}
