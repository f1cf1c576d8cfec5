using System.Diagnostics;

namespace Shop.Messaging.Streams;

/// <summary>How far a partition was read.</summary>
/// <param name="next">The offset at which reading begins.</param>
internal sealed class LogCursor(long next)
{
    /// <summary>Where what was passed over last begins.</summary>
    private long _passedFrom = next;

    /// <summary>The offset that comes next.</summary>
    public long Next { get; private set; } = next;

    /// <summary>When a record came last, or it was looked at whether one can be read (<see cref="Stopwatch"/>).</summary>
    public long MovedAt { get; private set; } = Stopwatch.GetTimestamp();

    /// <summary>Nothing of it is fetched, since a batch's checksum is wrong, until it is known what is behind that.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>It is held and was not probed yet.</summary>
    public bool IsToProbe { get; set; }

    /// <summary>The broker does not find the batch that was fetched last, since it is damaged.</summary>
    public bool IsRefused { get; set; }

    /// <summary>The offset at which reading was told to go on, behind what cannot be read; null once a record from there on has come.</summary>
    public long? Sought { get; private set; }

    /// <summary>Where what was passed over ended that is looked at once more; null where none is.</summary>
    public long? PassedUntil { get; private set; }

    /// <summary>Nothing was behind what was passed over: what comes there later may be of a log that lost that.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>The leader epoch in which the record that came last was written; null where none came, or the broker does not tell.</summary>
    public int? LeaderEpoch { get; private set; }

    /// <summary>Reading is at an offset.</summary>
    public void MoveTo(long next) => (Next, MovedAt) = (next, Stopwatch.GetTimestamp());

    /// <summary>A record came that is handed out.</summary>
    public void Take(int? leaderEpoch) => (Sought, PassedUntil, IsAtEnd, IsRefused, LeaderEpoch) = (null, null, false, false, leaderEpoch);

    /// <summary>Nothing is fetched until it is probed.</summary>
    public void Hold() => (IsHeld, IsToProbe) = (true, true);

    /// <summary>Reading goes on at an offset, which is behind what cannot be read or where nothing is wrong, or begins again at the log's start.</summary>
    /// <param name="next">The offset.</param>
    /// <param name="isAtEnd">Whether nothing is there yet.</param>
    public void GoOnAt(long next, bool isAtEnd)
    {
        // several stretches may follow one another without a record in between: all of them are in doubt together
        _passedFrom = Sought is null || next < _passedFrom ? Math.Min(Next, next) : _passedFrom;
        // of a log that begins again nothing was looked at
        PassedUntil = next < Next ? null : PassedUntil;
        (Next, Sought, IsAtEnd, IsHeld, IsToProbe) = (next, next, isAtEnd, false, false);
    }

    /// <summary>What was passed over comes next once more; in a later epoch still it is in doubt again.</summary>
    public void ReadPassedOverAgain(int leaderEpoch)
    {
        MoveTo(_passedFrom);
        (Sought, PassedUntil, IsAtEnd, LeaderEpoch) = (null, Sought, false, leaderEpoch);
    }
}
