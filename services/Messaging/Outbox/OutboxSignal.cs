namespace Shop.Messaging.Outbox;

/// <summary>Wakes the relay of this process; signals between two wake-ups count as one.</summary>
internal sealed class OutboxSignal
{
    private readonly SemaphoreSlim _work = new(0, 1);
    private int _shards;

    /// <summary>There is work.</summary>
    /// <param name="shards">The shards that were written to, one bit each.</param>
    public void Set(int shards = 0)
    {
        if (shards != 0)
            Interlocked.Or(ref _shards, shards);
        if (_work.CurrentCount > 0)
            return;
        try
        {
            _work.Release();
        }
        catch (SemaphoreFullException)
        {
            // another thread signalled at the same moment: the relay is woken all the same
        }
    }

    /// <summary>The shards that were written to since this was last asked, one bit each.</summary>
    public int TakeShards() => Interlocked.Exchange(ref _shards, 0);

    /// <summary>Waits for work, or until <paramref name="timeout"/> has passed.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _work.WaitAsync(timeout, cancellationToken);
}
