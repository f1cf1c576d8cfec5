namespace Shop.Payments.CallingProvider;

/// <summary>
/// Room for a number of calls at a time. When others wait for room, the calls that have waited longest for their answers give up their
/// places: a provider that hangs for some payments must not keep the others from being asked for.
/// </summary>
/// <param name="size">The calls that there is room for: each holds a connection and some memory.</param>
/// <param name="time">The clock.</param>
internal sealed class CallRoom(int size, TimeProvider time)
{
    /// <summary>What a call may wait for its answer while others wait for room: a healthy provider has answered by then.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _oldestFirst = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _closed, _crowded;

    /// <summary>Calls that could begin at once.</summary>
    public int Free
    {
        get
        {
            lock (_lock)
                return size - _oldestFirst.Count;
        }
    }

    /// <summary>Takes a place, which is given back by <see cref="Place.Leave"/>.</summary>
    /// <param name="cancellationToken">Ends the call; <see cref="Place.CancellationToken"/> ends it too when it has to give up its place.</param>
    /// <exception cref="InvalidOperationException">There is no room.</exception>
    public Place Enter(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_oldestFirst.Count == size)
                throw new InvalidOperationException("There is no room for another call");
            var place = new Place(this, time.GetTimestamp(), cancellationToken);
            _oldestFirst.AddLast(place.Node);
            return place;
        }
    }

    /// <summary>Notes whether others wait for room: they may where all of it was taken at once, and where there was none as they did before.</summary>
    /// <param name="asked">The calls for which there was room.</param>
    /// <param name="taken">Those that were there.</param>
    public void Claimed(int asked, int taken)
    {
        if (asked > 0)
            _crowded = taken == asked;
    }

    /// <summary>Ends the calls that have waited for longer than <see cref="Patience"/>, where others wait for room.</summary>
    public void GiveUpHanging()
    {
        if (!_crowded)
            return;
        List<Place> hanging = [];
        lock (_lock)
        {
            for (var node = _oldestFirst.First; node is not null && time.GetElapsedTime(node.Value.Since) >= Patience; node = node.Next)
                hanging.Add(node.Value);
        }
        foreach (var place in hanging)
            place.GiveUp();
    }

    /// <summary>When every call has ended. No more are to begin.</summary>
    public Task Closed()
    {
        lock (_lock)
        {
            _closed = true;
            if (_oldestFirst.Count == 0)
                _empty.TrySetResult();
        }
        return _empty.Task;
    }

    private int Leave(Place place)
    {
        lock (_lock)
        {
            _oldestFirst.Remove(place.Node);
            if (_closed && _oldestFirst.Count == 0)
                _empty.TrySetResult();
            return size - _oldestFirst.Count;
        }
    }

    /// <summary>A call's place.</summary>
    internal sealed class Place
    {
        private readonly CallRoom _room;
        private readonly CancellationTokenSource _cancellation;

        public Place(CallRoom room, long since, CancellationToken cancellationToken)
        {
            _room = room;
            Since = since;
            Node = new(this);
            _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        }

        /// <summary>When the call began (<see cref="TimeProvider.GetTimestamp"/>).</summary>
        public long Since { get; }

        /// <summary>The call waited too long while others waited for room.</summary>
        public bool GaveUp { get; private set; }

        /// <summary>Ends the call.</summary>
        public CancellationToken CancellationToken => _cancellation.Token;

        internal LinkedListNode<Place> Node { get; }

        /// <summary>Gives the place back, and returns how many are free then.</summary>
        public int Leave()
        {
            _cancellation.Dispose();
            return _room.Leave(this);
        }

        internal void GiveUp()
        {
            GaveUp = true;
            try
            {
                _cancellation.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // it has ended by itself in this moment
            }
        }
    }
}
