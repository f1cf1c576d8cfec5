namespace Shop.KafkaBroker;

/// <summary>Bytes of a log are no batch that can be where it is. It concerns those who look for what is there, and nobody else.</summary>
internal sealed class DamagedLogException(string path, long position) : Exception($"{path} is damaged at byte {position}.")
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Where the batch should begin.</summary>
    public long Position { get; } = position;
}
