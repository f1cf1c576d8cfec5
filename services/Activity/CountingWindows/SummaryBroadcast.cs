using System.Text;
using System.Text.Json;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Activity.CountingWindows;

/// <summary>What all listeners are sent.</summary>
/// <param name="Number">Grows with each summary.</param>
/// <param name="Bytes">A server-sent event.</param>
internal sealed record BroadcastSummary(long Number, byte[] Bytes);

/// <summary>
/// Reads the summary of the last hour for all who listen, with one query a second however many they are, and none while there is nobody. It is
/// written as JSON once.
/// </summary>
internal sealed class SummaryBroadcast(WindowReader windows, TimeProvider time, Draining draining) : IWorker
{
    /// <summary>Listeners on each instance.</summary>
    public const int MaxListeners = 5_000;

    private const int Minutes = 60;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The gateway gives up what is silent for 30 s.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _someone = new(0);
    private int _listeners;
    private volatile State _state = new(null);

    private CancellationToken Stopping => draining.Over;

    private TimeProvider Time => time;

    /// <summary>Queries made so far.</summary>
    public long Queries { get; private set; }

    /// <summary>Begins to listen; null where there are as many as an instance takes.</summary>
    public Listener? Listen()
    {
        if (Interlocked.Increment(ref _listeners) > MaxListeners)
        {
            Interlocked.Decrement(ref _listeners);
            return null;
        }
        _someone.Release();
        return new(this);
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (Volatile.Read(ref _listeners) == 0)
            {
                // what was read for the last one who listened is old
                Replace(new(null));
                await _someone.WaitAsync(stoppingToken);
                continue;
            }
            var json = JsonSerializer.Serialize(await windows.SummaryAsync(Minutes, stoppingToken), ActivityJson.Default.ActivitySummary);
            Queries++;
            var before = _state;
            if (before.Json != json)
            {
                var number = (before.Latest?.Number ?? time.GetUtcNow().ToUnixTimeMilliseconds()) + 1;
                Replace(new(new(number, Encoding.UTF8.GetBytes($"id: {number}\ndata: {json}\n\n"))) { Json = json });
            }
            await Task.Delay(Interval, time, stoppingToken);
        }
    }

    private void Replace(State next)
    {
        var before = _state;
        _state = next;
        before.Changed.SetResult();
    }

    /// <summary>The newest summary, and a signal for when there is a newer one.</summary>
    private sealed class State(BroadcastSummary? latest)
    {
        public BroadcastSummary? Latest { get; } = latest;

        public string? Json { get; init; }

        public TaskCompletionSource Changed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>One who listens, until disposed of.</summary>
    internal sealed class Listener(SummaryBroadcast broadcast) : IDisposable
    {
        /// <summary>The newest summary as soon as it is another than <paramref name="seen"/>, or the same again as a sign of life; null when the instance stops.</summary>
        public async Task<BroadcastSummary?> NextAsync(long seen, CancellationToken cancellationToken)
        {
            while (!broadcast.Stopping.IsCancellationRequested)
            {
                var state = broadcast._state;
                if (state.Latest is { } latest && latest.Number != seen)
                    return latest;
                using var waited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, broadcast.Stopping);
                var pause = Task.Delay(Heartbeat, broadcast.Time, waited.Token);
                await Task.WhenAny(state.Changed.Task, pause);
                var isSilent = pause.IsCompletedSuccessfully;
                await waited.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
                if (isSilent && !state.Changed.Task.IsCompleted)
                    return new(seen, []);
            }
            return null;
        }

        public void Dispose() => Interlocked.Decrement(ref broadcast._listeners);
    }

}
