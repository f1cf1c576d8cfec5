namespace Shop.Messaging.Consuming;

/// <summary>Where an endpoint is in a partition, and in which log: an offset is the same in every other one.</summary>
/// <param name="Next">The offset of the next record to handle.</param>
/// <param name="LastRecord">The <see cref="ConsumedRecord.Fingerprint"/> of the record before it; null where there is none, or it is not known.</param>
internal sealed record LogPosition(long Next, byte[]? LastRecord)
{
    /// <summary>Where reading begins: at the record to compare, so that it comes ahead of those to handle.</summary>
    public long Start => LastRecord is null ? Next : Next - 1;

    /// <summary>Whether what is before it could not be read.</summary>
    public bool IsBehindUnreadable => LastRecord is { Length: sizeof(long) };
}
