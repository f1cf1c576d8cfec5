using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Shop.Messaging.Consuming;

/// <summary>A record that waits in a lane, with the assignment it was read under.</summary>
internal readonly record struct QueuedRecord(ConsumedRecord Record, PartitionAssignment Assignment);

/// <summary>
/// Handles partitions of certain numbers, of all the endpoint's topics, one batch after another: topics joined by key are
/// partitioned alike, so everything about one aggregate passes through one lane.
/// </summary>
internal sealed partial class Lane
{
    /// <summary>Of one transaction, together with its record's number.</summary>
    private const long MaxBatchBytes = 4 << 20;

    private static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(1);

    private readonly Channel<QueuedRecord> _queue = Channel.CreateUnbounded<QueuedRecord>(new() { SingleReader = true, SingleWriter = true });
    private readonly EndpointOptions _endpoint;
    private readonly BatchProcessor _processor;
    private readonly IPartitionFeed _feed;
    private readonly Backlog _backlog;
    private readonly int _number;
    private readonly int _maxBatch;
    private readonly ILogger _logger;
    private readonly Task _running;
    private int _waiting;

    public Lane(EndpointOptions endpoint, BatchProcessor processor, IPartitionFeed feed, Backlog backlog, int number, int maxBatch, ILogger logger, CancellationToken stoppingToken)
    {
        _endpoint = endpoint;
        _processor = processor;
        _feed = feed;
        _backlog = backlog;
        _number = number;
        _maxBatch = maxBatch;
        _logger = logger;
        _running = Task.Run(() => RunAsync(stoppingToken), CancellationToken.None);
    }

    /// <summary>Records that wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether fetching its partitions is paused; the polling thread's own note.</summary>
    public bool Paused { get; set; }

    /// <summary>Adds a record; called by the polling thread only.</summary>
    public void Enqueue(QueuedRecord record)
    {
        _queue.Writer.TryWrite(record);
        Interlocked.Increment(ref _waiting);
        _backlog.Add(record.Record);
    }

    /// <summary>Takes no more records and waits for the batch at hand.</summary>
    public Task EndAsync()
    {
        _queue.Writer.TryComplete();
        return _running;
    }

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        var batch = new List<QueuedRecord>(_maxBatch);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(stoppingToken))
            {
                TakeBatch(batch);
                if (batch.Count == 0)
                    continue;
                await ProcessAsync(batch, stoppingToken);
                StoreOffsets(batch);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the batch at hand was rolled back and is read again by whoever gets the partition
        }
    }

    /// <summary>A batch is never given up: what the processor did not expect is logged and tried again, so that nothing is skipped.</summary>
    private async Task ProcessAsync(List<QueuedRecord> batch, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await _processor.ProcessAsync(batch, _feed, stoppingToken);
                return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                BatchFailed(_logger, e, _endpoint.Name, _number);
                await Task.Delay(FailureDelay, stoppingToken);
            }
        }
    }

    private void TakeBatch(List<QueuedRecord> batch)
    {
        batch.Clear();
        for (var bytes = 0L; batch.Count < _maxBatch && bytes < MaxBatchBytes && _queue.Reader.TryRead(out var record);)
        {
            bytes += record.Record.Bytes;
            Interlocked.Decrement(ref _waiting);
            _backlog.Remove(record.Record);
            if (!record.Assignment.Ended)
                batch.Add(record);
        }
    }

    /// <summary>Tells Kafka how far the lane is; the consumer commits it in the background.</summary>
    private void StoreOffsets(List<QueuedRecord> batch)
    {
        foreach (var partition in batch.Where(record => !record.Assignment.Ended).GroupBy(record => record.Assignment))
            _feed.StoreOffset(partition.Key.Partition, partition.Max(record => record.Record.Offset) + 1);
    }

    [LoggerMessage(EventName = "BatchFailed", Level = LogLevel.Error, Message = "{Endpoint} could not handle a batch of lane {Lane} and tries it again")]
    private static partial void BatchFailed(ILogger logger, Exception exception, string endpoint, int lane);
}
