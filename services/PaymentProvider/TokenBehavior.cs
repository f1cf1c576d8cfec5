namespace Shop.PaymentProvider;

/// <summary>How the provider treats a token: the ways of a real one, on demand.</summary>
/// <param name="DeclineReason">Why it declines; null authorises.</param>
/// <param name="AnswerDelay">How long the answer takes from the moment of the decision; infinite for no answer at all.</param>
/// <param name="FailuresFirst">How many requests with one idempotency key fail with 500 before the first that does anything.</param>
/// <param name="IsCapturable">Whether what it has authorised can be captured.</param>
internal sealed record TokenBehavior(string? DeclineReason = null, TimeSpan AnswerDelay = default, int FailuresFirst = 0, bool IsCapturable = true)
{
    private static readonly TokenBehavior Unknown = new(DeclineReason: "unknown_token");

    private static readonly System.Buffers.SearchValues<char> CardCharacters = System.Buffers.SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly Dictionary<string, TokenBehavior> Tokens = new(StringComparer.Ordinal)
    {
        ["tok_visa"] = new(),
        ["tok_declined"] = new(DeclineReason: "card_declined"),
        ["tok_slow"] = new(AnswerDelay: TimeSpan.FromSeconds(3)),
        ["tok_flaky"] = new(FailuresFirst: 2),
        ["tok_uncapturable"] = new(IsCapturable: false),
        // the money is set aside all the same: only the ledger knows
        ["tok_silent"] = new(AnswerDelay: Timeout.InfiniteTimeSpan),
    };

    /// <summary>The behaviour of <paramref name="token"/>, which may name a card behind its behaviour; an unknown one is declined.</summary>
    public static TokenBehavior Of(string token) => Tokens.GetValueOrDefault(token) ?? Tokens.GetValueOrDefault(BehaviorOf(token), Unknown);

    private static string BehaviorOf(string token) =>
        token.LastIndexOf('_') is > 4 and var at && at < token.Length - 1 && token.AsSpan(at + 1).IndexOfAnyExcept(CardCharacters) < 0 ? token[..at] : token;
}
