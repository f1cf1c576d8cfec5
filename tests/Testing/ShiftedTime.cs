namespace Shop.Testing;

/// <summary>The system's clock, but some time ahead: so that tests need not wait for what is due in an hour.</summary>
public sealed class ShiftedTime : TimeProvider
{
    /// <summary>How far it is ahead of the system's clock.</summary>
    public TimeSpan Ahead { get; set; }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}
