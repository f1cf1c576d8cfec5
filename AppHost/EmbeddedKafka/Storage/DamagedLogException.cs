namespace Shop.KafkaBroker;

/// <summary>Bytes of a log are no batch that can be where it is. It concerns those who look for what is there, and nobody else.</summary>
internal sealed class DamagedLogException(Segment segment, ReadRange range) : Exception($"{segment.LogPath} is damaged at byte {range.Position}.")
{
    /// <summary>The segment.</summary>
    public Segment Segment { get; } = segment;

    /// <summary>What cannot be read: it begins where the batch should.</summary>
    public ReadRange Range { get; } = range;
}
