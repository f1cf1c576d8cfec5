using Shop.Messaging.Workers;

namespace Shop.Messaging.Consuming;

/// <summary>The records of an endpoint that were read and wait to be handled: as many as keep every lane busy, and no more.</summary>
internal sealed class Backlog
{
    private const int MaxRecords = 6_000;
    private const long MaxBytes = 32 * 1024 * 1024;

    private readonly WorkSignal _shrunk = new();
    private int _records;
    private long _bytes;

    /// <summary>Lanes that are paused: what waits in them does not keep the others from being read.</summary>
    public int PausedLanes { get; set; }

    /// <summary>Whether no more should be read.</summary>
    public bool IsFull => Volatile.Read(ref _records) >= MaxRecords * (1 + PausedLanes) || Volatile.Read(ref _bytes) >= MaxBytes * (1 + PausedLanes);

    /// <summary>A record waits.</summary>
    public void Add(ConsumedRecord record)
    {
        Interlocked.Increment(ref _records);
        Interlocked.Add(ref _bytes, record.Bytes);
    }

    /// <summary>A record waits no more.</summary>
    public void Remove(ConsumedRecord record)
    {
        Interlocked.Add(ref _bytes, -record.Bytes);
        if (Interlocked.Decrement(ref _records) == MaxRecords * ((2 * PausedLanes) + 1) / 2)
            _shrunk.Set();
    }

    /// <summary>Waits until there is room again; false when <paramref name="timeout"/> has passed before.</summary>
    public bool WaitUntilShrunk(TimeSpan timeout, CancellationToken cancellationToken) => _shrunk.Wait(timeout, cancellationToken);
}
