namespace Shop.Messaging;

/// <summary>Wakes the relay of this process after a commit; signals between two wake-ups count as one.</summary>
internal sealed class OutboxSignal
{
    private readonly SemaphoreSlim _work = new(0, 1);

    /// <summary>There is work.</summary>
    public void Set()
    {
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

    /// <summary>Waits for work, or until <paramref name="timeout"/> has passed.</summary>
    public Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _work.WaitAsync(timeout, cancellationToken);
}
