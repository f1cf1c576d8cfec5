using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// The newest payments of a card, a shopper, a device or an address: all that windows are made of. It is one small row, bounded whatever
/// its key does.
/// </summary>
public sealed class History
{
    /// <summary>Payments that are remembered: the windows of a busier key reach back less far.</summary>
    public const int Capacity = 32;

    /// <summary>How long a key that is not seen again is remembered, in event time.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(180);

    private const byte Format = 1;
    private const int HeaderBytes = 10, ObservationBytes = 32;

    private readonly List<Observation> _observations;

    /// <summary>The history of a key that has not been seen.</summary>
    public History() => _observations = [];

    private History(List<Observation> observations) => _observations = observations;

    /// <summary>When the key was first seen, in seconds since 1970; 0 where it was not.</summary>
    public uint FirstSeenAt { get; private set; }

    /// <summary>Payments ever seen.</summary>
    public int Total { get; private set; }

    /// <summary>What is remembered, oldest first.</summary>
    public ReadOnlySpan<Observation> Observations => CollectionsMarshal.AsSpan(_observations);

    /// <summary>Whether the key was not seen for <see cref="Memory"/> before a time: then nothing is known of it any more, whether or not it has been deleted yet.</summary>
    public bool IsForgottenAt(DateTimeOffset at) => _observations is [.., var newest] && at.ToUnixTimeSeconds() - newest.At > (long)Memory.TotalSeconds;

    /// <summary>Adds a payment. Where there is no room the oldest is forgotten; of those that were stopped, though, few are kept: what a key did before it was abused must not be flushed out.</summary>
    public void Add(in Observation observation)
    {
        if (Total++ == 0 || observation.At < FirstSeenAt)
            FirstSeenAt = observation.At;
        if (_observations.Count == Capacity)
            _observations.RemoveAt(FindToForget());
        var at = _observations.Count;
        // partitions are handled side by side: it may be older than what is there
        while (at > 0 && _observations[at - 1].At > observation.At)
            at--;
        _observations.Insert(at, observation);
    }

    /// <summary>Adds marks to a payment; false where it is forgotten.</summary>
    public bool Mark(uint payment, ObservationMarks marks)
    {
        foreach (ref var observation in CollectionsMarshal.AsSpan(_observations))
        {
            if (observation.Payment != payment)
                continue;
            observation.Marks |= marks;
            return true;
        }
        return false;
    }

    /// <summary>The history as it is stored.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[HeaderBytes + _observations.Count * ObservationBytes];
        bytes[0] = Format;
        bytes[1] = (byte)_observations.Count;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(2), FirstSeenAt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(6), Total);
        MemoryMarshal.AsBytes(Observations).CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> has written.</summary>
    /// <exception cref="FormatException">It is of a later version.</exception>
    public static History Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes is not [Format, var count, ..] || bytes.Length != HeaderBytes + count * ObservationBytes)
            throw new FormatException("A screening history is not in the format of this version");
        var observations = new List<Observation>(Math.Max(4, (int)count));
        CollectionsMarshal.SetCount(observations, count);
        MemoryMarshal.Cast<byte, Observation>(bytes[HeaderBytes..]).CopyTo(CollectionsMarshal.AsSpan(observations));
        return new(observations)
        {
            FirstSeenAt = BinaryPrimitives.ReadUInt32LittleEndian(bytes[2..]),
            Total = BinaryPrimitives.ReadInt32LittleEndian(bytes[6..]),
        };
    }

    private int FindToForget()
    {
        int stopped = 0, oldestStopped = 0;
        for (var i = _observations.Count - 1; i >= 0; i--)
        {
            if (!_observations[i].IsStopped)
                continue;
            stopped++;
            oldestStopped = i;
        }
        return stopped > Capacity / 2 ? oldestStopped : 0;
    }
}
