using Shop.Messaging.Workers;

namespace Shop.Messaging.Outbox;

/// <summary>Wakes the relay of this process, and tells it which shards were written to.</summary>
internal sealed class OutboxSignal
{
    private readonly WorkSignal _work = new();
    private int _shards;

    /// <summary>There is work.</summary>
    /// <param name="shards">The shards that were written to, one bit each.</param>
    public void Set(int shards = 0)
    {
        if (shards != 0)
            Interlocked.Or(ref _shards, shards);
        _work.Set();
    }

    /// <summary>The shards that were written to since this was last asked, one bit each.</summary>
    public int TakeShards() => Interlocked.Exchange(ref _shards, 0);

    /// <summary>Waits for work, or until <paramref name="timeout"/> has passed.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _work.WaitAsync(timeout, cancellationToken);
}
