namespace Shop.KafkaBroker;

/// <summary>A fetch that waits until enough was appended to any of its partitions, or its time is over.</summary>
/// <param name="wantedBytes">How many bytes more are wanted.</param>
internal sealed class FetchWaiter(long wantedBytes)
{
    // continuations run elsewhere: an append must not do the work of the fetch it wakes
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _wantedBytes = wantedBytes;

    public Task Task => _done.Task;

    public void Appended(int bytes)
    {
        if (Interlocked.Add(ref _wantedBytes, -bytes) <= 0)
            _done.TrySetResult();
    }

    public void Wake() => _done.TrySetResult();
}
