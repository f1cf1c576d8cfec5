namespace Shop.Messaging.Workers;

/// <summary>Wakes one waiting worker of this process; signals between two wake-ups count as one.</summary>
public sealed class WorkSignal
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
            // another thread signalled at the same moment: the worker is woken all the same
        }
    }

    /// <summary>Waits for work, or until <paramref name="timeout"/> has passed: then false.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken) => _work.WaitAsync(timeout, cancellationToken);

    /// <summary>Waits as <see cref="WaitAsync"/> does, on a thread that has nothing else to do.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellationToken) => _work.Wait(timeout, cancellationToken);
}
