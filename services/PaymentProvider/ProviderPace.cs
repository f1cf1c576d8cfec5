namespace Shop.PaymentProvider;

/// <summary>How slow the provider is.</summary>
/// <param name="AnswerDelaySeconds">How long every authorisation's answer takes at least; 0 for none.</param>
public sealed record PaceRequest(double AnswerDelaySeconds);

/// <summary>Makes the whole provider slow, whatever the token, until it is told otherwise or starts anew.</summary>
internal sealed class ProviderPace
{
    private long _ticks;

    /// <summary>How long every authorisation's answer takes at least.</summary>
    public TimeSpan AnswerDelay
    {
        get => new(Interlocked.Read(ref _ticks));
        set => Interlocked.Exchange(ref _ticks, value.Ticks);
    }

    /// <summary>The delay of a token, or the provider's where that is longer.</summary>
    public TimeSpan Slowed(TimeSpan delay) => delay == Timeout.InfiniteTimeSpan || delay > AnswerDelay ? delay : AnswerDelay;
}
