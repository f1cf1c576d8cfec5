using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Shop.Contracts;
using Shop.Messaging.Operations;

namespace Shop.Messaging.ShippingLogs;

/// <summary>Lines that wait to be sent to the topic <c>logs</c>. Who writes a line never waits: where there are too many, it is dropped and counted.</summary>
internal sealed class LogQueue
{
    /// <summary>Lines that may wait.</summary>
    public const int MaxLines = 10_000;

    private static readonly Counter<long> DroppedLines = MessagingTelemetry.Meter.CreateCounter<long>(
        "shop.logs.dropped", "{line}", "Lines of the log that did not get to the topic logs, because there were too many or the broker was away");

    private readonly Channel<LogWritten> _lines = Channel.CreateBounded<LogWritten>(new BoundedChannelOptions(MaxLines) { SingleReader = true });
    private long _dropped;

    /// <summary>Adds a line, or counts it as dropped.</summary>
    public void Add(LogWritten line)
    {
        if (!_lines.Writer.TryWrite(line))
            Drop(1);
    }

    /// <summary>Lines did not get to the topic.</summary>
    public void Drop(long lines)
    {
        Interlocked.Add(ref _dropped, lines);
        DroppedLines.Add(lines);
    }

    /// <summary>
    /// Lines of a batch did not get to the topic. Where all are missing, what the first one told of lines before it is told again; a service's lines are in one
    /// partition, in their order, so that where some were taken it is among them.
    /// </summary>
    public void NotTaken(IReadOnlyList<LogWritten> batch, int lines)
    {
        Drop(lines);
        if (lines == batch.Count && batch.Count > 0)
            Interlocked.Add(ref _dropped, batch[0].Dropped);
    }

    /// <summary>The lines that wait, in their order, up to a number; waits for the first. That there were more is told by the first of them.</summary>
    public async Task<List<LogWritten>> TakeAsync(int most, CancellationToken cancellationToken)
    {
        await _lines.Reader.WaitToReadAsync(cancellationToken);
        var taken = new List<LogWritten>();
        while (taken.Count < most && _lines.Reader.TryRead(out var line))
            taken.Add(taken.Count > 0 ? line : line with { Dropped = Interlocked.Exchange(ref _dropped, 0) });
        return taken;
    }
}
