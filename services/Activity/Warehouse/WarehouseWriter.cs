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
internal sealed partial class WarehouseWriter(LogReaders logs, IOptions<WarehouseOptions> options, TimeProvider time, ILogger<WarehouseWriter> logger) : IWorker
{
    /// <summary>What all rows that wait to be written may take, before compression.</summary>
    private const long MaxWaitingBytes = 96L << 20;

    private static readonly TimeSpan LockInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TopicsInterval = TimeSpan.FromSeconds(10);

    private readonly LocalWarehouse _warehouse = new(options.Value.Directory!);
    private readonly Dictionary<(string Topic, int Partition), PartitionWriter> _partitions = [];
    private long _waitingBytes;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        FileStream? held;
        while ((held = _warehouse.TryLock()) is null)
            await Task.Delay(LockInterval, time, stoppingToken);
        await using (held)
        {
            // again where there are topics or partitions that were not there before
            while (true)
            {
                using var reader = logs.Open();
                await ArchiveAsync(reader, stoppingToken);
            }
        }
    }

    private async Task ArchiveAsync(LogReader reader, CancellationToken stoppingToken)
    {
        _partitions.Clear();
        _waitingBytes = 0;
        var newest = (await _warehouse.RecoverAsync(stoppingToken)).GroupBy(file => (file.Topic, file.Partition)).ToDictionary(files => files.Key, files => files.MaxBy(file => file.Last)!);
        foreach (var partition in reader.PartitionsOf(Topics.All))
        {
            var last = newest.GetValueOrDefault((partition.Topic.Name, partition.Partition));
            if (last?.Last >= partition.End)
                throw new InvalidOperationException($"{partition.Topic}[{partition.Partition}] ends at {partition.End}, and the warehouse has it up to {last.Last}: the topic was made anew. Move the warehouse's folder topic={partition.Topic} away");
            var next = last?.Last + 1 ?? partition.First;
            if (next < partition.First)
                RecordsMissed(logger, partition.Topic.Name, partition.Partition, next, partition.First - 1);
            _partitions.Add((partition.Topic.Name, partition.Partition), new(partition.Topic.Name, partition.Partition, Math.Max(next, partition.First), last?.Hour ?? default));
        }
        WarehouseOpened(logger, _partitions.Count);
        long mergedAt = time.GetTimestamp(), lookedAt = mergedAt;
        await foreach (var batch in reader.ReadAsync(_partitions.Values.Select(partition => (partition.Topic, partition.Partition, partition.Next)), stoppingToken))
        {
            foreach (var record in batch)
                await AddAsync(record, stoppingToken);
            foreach (var partition in _partitions.Values.Where(partition => partition.Rows.Rows > 0 && time.GetElapsedTime(partition.BeganAt) > options.Value.MaxAge))
                await WriteAsync(partition, stoppingToken);
            if (time.GetElapsedTime(mergedAt) > options.Value.MergeInterval)
            {
                await MergeAsync(stoppingToken);
                mergedAt = time.GetTimestamp();
            }
            if (time.GetElapsedTime(lookedAt) > TopicsInterval)
            {
                if (reader.PartitionsOf(Topics.All).Count > _partitions.Count)
                    break;
                lookedAt = time.GetTimestamp();
            }
        }
    }

    private async Task AddAsync(ConsumedRecord record, CancellationToken cancellationToken)
    {
        var partition = _partitions[(record.Topic, record.Partition)];
        var hour = HourOf(record, partition.Hour);
        if (partition.Rows.Rows > 0 && hour != partition.Hour)
            await WriteAsync(partition, cancellationToken);
        if (partition.Rows.Rows == 0)
            (partition.First, partition.Hour, partition.BeganAt) = (record.Offset, hour, time.GetTimestamp());
        var before = partition.Rows.Bytes;
        partition.Rows.Add(record);
        partition.Next = record.Offset + 1;
        _waitingBytes += partition.Rows.Bytes - before;
        if (partition.Rows.Bytes >= options.Value.MaxSize)
            await WriteAsync(partition, cancellationToken);
        else if (_waitingBytes >= MaxWaitingBytes)
            await WriteAsync(_partitions.Values.MaxBy(waiting => waiting.Rows.Bytes)!, cancellationToken);
    }

    private async Task WriteAsync(PartitionWriter partition, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var (rows, bytes) = (partition.Rows.Rows, partition.Rows.Bytes);
        var file = new WarehouseFile(partition.Topic, partition.Partition, partition.Hour, partition.First, partition.Next - 1);
        await _warehouse.WriteAsync(file, stream => partition.Rows.WriteAsync(stream, cancellationToken));
        _waitingBytes -= bytes;
        FileWritten(logger, file.Path, rows, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    private async Task MergeAsync(CancellationToken cancellationToken)
    {
        foreach (var files in FileMerging.Find(_warehouse.List(), options.Value.MergeBelow, options.Value.MaxSize))
        {
            if (await FileMerging.MergeAsync(_warehouse, files, cancellationToken) is not { } merged)
                break;
            FilesMerged(logger, files.Count, merged.Path);
        }
        _warehouse.DeleteHidden(time.GetUtcNow() - options.Value.MergedKept);
    }

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

    /// <summary>A partition, with the rows that wait to be a file.</summary>
    private sealed class PartitionWriter(string topic, int partition, long next, DateTimeOffset hour)
    {
        public string Topic { get; } = topic;

        public int Partition { get; } = partition;

        public RowBuffer Rows { get; } = new(WarehouseTable.Of(topic));

        public long First { get; set; } = next;

        public long Next { get; set; } = next;

        public DateTimeOffset Hour { get; set; } = hour;

        public long BeganAt { get; set; }
    }

    [LoggerMessage(EventName = "WarehouseOpened", Level = LogLevel.Information, Message = "The warehouse is written by this instance, {Partitions} partitions")]
    private static partial void WarehouseOpened(ILogger logger, int partitions);

    [LoggerMessage(EventName = "WarehouseFileWritten", Level = LogLevel.Debug, Message = "{Path} has {Rows} rows, written in {Milliseconds} ms")]
    private static partial void FileWritten(ILogger logger, string path, int rows, double milliseconds);

    [LoggerMessage(EventName = "WarehouseFilesMerged", Level = LogLevel.Debug, Message = "{Count} files were merged into {Path}")]
    private static partial void FilesMerged(ILogger logger, int count, string path);

    [LoggerMessage(EventName = "WarehouseRecordsMissed", Level = LogLevel.Error, Message = "{Topic}[{Partition}] has no records {First} to {Last} any more, and the warehouse never had them: Kafka dropped them by age or size")]
    private static partial void RecordsMissed(ILogger logger, string topic, int partition, long first, long last);
}
