using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;

namespace Shop.PaymentProvider;

/// <summary>
/// The provider's durable memory: one JSON document a line, only ever appended. Whoever waits for an entry knows it is on
/// disk; entries that come while the disk is busy share the next flush (group commit). Where the disk is full or fails, they wait until it
/// takes them.
/// </summary>
internal sealed partial class Ledger : BackgroundService
{
    private const string FileName = "ledger.jsonl";

    // bounds the buffer, not the throughput: at this size the flush is a small part of the write
    private const int MaxBatch = 4096;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly List<LedgerEntry> _entries;
    private readonly FileStream _file;
    private readonly TimeProvider _time;
    private readonly ILogger<Ledger> _logger;
    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(new() { SingleReader = true });
    private long _lastSequence;

    private Ledger(FileStream file, List<LedgerEntry> entries, TimeProvider time, ILogger<Ledger> logger)
    {
        _time = time;
        _logger = logger;
        _file = file;
        _entries = entries;
        _lastSequence = entries.Count;
    }

    /// <summary>Opens or creates the ledger in <paramref name="directory"/>; a last line that a crash left unfinished is cut off.</summary>
    /// <exception cref="IOException">Another process has it open.</exception>
    /// <exception cref="InvalidDataException">A finished line is not an entry, or the numbers have a gap.</exception>
    public static Ledger Open(string directory, TimeProvider time, ILogger<Ledger> logger)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, FileName);
        // no buffer of its own: a batch is written in one piece
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        try
        {
            CutTornLine(file);
            var entries = ReadAll(file);
            file.Seek(0, SeekOrigin.End);
            return new Ledger(file, entries, time, logger);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Numbers an entry and queues it.</summary>
    /// <returns>The entry with its number, and a task that ends when it is on disk.</returns>
    /// <exception cref="ChannelClosedException">The ledger is closed.</exception>
    public (LedgerEntry Entry, Task Written) Append(LedgerEntry entry)
    {
        lock (_gate)
        {
            var pending = new Pending(
                entry with { Sequence = _lastSequence + 1 },
                new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            if (!_pending.Writer.TryWrite(pending))
                throw new ChannelClosedException();
            _lastSequence++;
            return (pending.Entry, pending.Written.Task);
        }
    }

    /// <summary>The entries on disk with a number above <paramref name="sequence"/>, in order, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<LedgerEntry> ReadAfter(long sequence, int limit)
    {
        lock (_gate)
        {
            // numbers start at 1 and have no gaps: the entry after n stands at index n
            var start = (int)Math.Min(sequence, _entries.Count);
            return _entries.GetRange(start, Math.Min(limit, _entries.Count - start));
        }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // what was taken is written before the process ends
        _pending.Writer.TryComplete();
        await (ExecuteTask ?? Task.CompletedTask).WaitAsync(cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _file.Dispose();
    }

    /// <summary>The only writer. It never goes on without a batch: memory is ahead of the disk by it, and nobody was told of it yet.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Pending>(MaxBatch);
        var buffer = new ArrayBufferWriter<byte>();
        try
        {
            // no stoppingToken: StopAsync completes the queue, and what is in it is written
            while (await _pending.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (batch.Count < MaxBatch && _pending.Reader.TryRead(out var pending))
                    batch.Add(pending);
                await WriteAsync(batch, buffer, stoppingToken);
                lock (_gate)
                    _entries.AddRange(batch.Select(pending => pending.Entry));
                foreach (var pending in batch)
                    pending.Written.SetResult();
                batch.Clear();
            }
        }
        catch (Exception failure)
        {
            _pending.Writer.TryComplete(failure);
            while (_pending.Reader.TryRead(out var pending))
                batch.Add(pending);
            foreach (var pending in batch)
                pending.Written.TrySetException(failure);
            throw;
        }
    }

    private async Task WriteAsync(List<Pending> batch, ArrayBufferWriter<byte> buffer, CancellationToken stoppingToken)
    {
        buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            foreach (var pending in batch)
            {
                JsonSerializer.Serialize(writer, pending.Entry, ProviderJson.Default.LedgerEntry);
                writer.Flush();
                buffer.Write("\n"u8);
                writer.Reset();
            }
        }

        var (end, waits) = (_file.Position, false);
        while (true)
        {
            try
            {
                _file.Write(buffer.WrittenSpan);
                _file.Flush(flushToDisk: true);
                if (waits)
                    Goes(_logger);
                return;
            }
            // once more after the service was told to stop: then who waits is told that there is no answer
            catch (IOException e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!waits)
                    Waits(_logger, _file.Name, e.Message);
                waits = true;
                // what was written in part is written again as a whole: after a failed flush nobody knows what of it is on disk
                _file.SetLength(end);
                await Task.Delay(RetryInterval, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static void CutTornLine(FileStream file)
    {
        var end = file.Length;
        var chunk = new byte[4096];
        while (end > 0)
        {
            var start = Math.Max(0, end - chunk.Length);
            var part = chunk.AsSpan(0, (int)(end - start));
            file.Seek(start, SeekOrigin.Begin);
            file.ReadExactly(part);
            var newLine = part.LastIndexOf((byte)'\n');
            end = start + newLine + 1;
            if (newLine >= 0)
                break;
        }

        if (end == file.Length)
            return;
        file.SetLength(end);
        file.Flush(flushToDisk: true);
    }

    private static List<LedgerEntry> ReadAll(FileStream file)
    {
        file.Seek(0, SeekOrigin.Begin);
        using var reader = new StreamReader(file, leaveOpen: true);
        var entries = new List<LedgerEntry>();
        while (reader.ReadLine() is { } line)
        {
            var entry = Parse(line);
            if (entry?.Sequence != entries.Count + 1)
                throw new InvalidDataException($"{file.Name}, line {entries.Count + 1}, is not the entry with that number.");
            entries.Add(entry);
        }

        return entries;
    }

    private static LedgerEntry? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProviderJson.Default.LedgerEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(EventName = "LedgerWaits", Level = LogLevel.Warning, Message = "{File} cannot be written, payments wait until it can: {Reason}")]
    private static partial void Waits(ILogger logger, string file, string reason);

    [LoggerMessage(EventName = "LedgerGoesOn", Level = LogLevel.Information, Message = "The ledger can be written again")]
    private static partial void Goes(ILogger logger);

    private sealed record Pending(LedgerEntry Entry, TaskCompletionSource Written);
}
