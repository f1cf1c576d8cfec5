namespace Shop.KafkaBroker.Tests;

/// <summary>A clock that goes on when it is told to.</summary>
internal sealed class ManualClock(long unixMilliseconds) : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan time) => _now += time;
}
