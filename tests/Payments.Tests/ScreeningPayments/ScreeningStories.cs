using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>Tells what happens to payments, one after another, and what screening decides.</summary>
internal sealed class ScreeningStories
{
    private readonly Screener _screener;
    private readonly Random _random = new(1);
    private int _payments;

    public ScreeningStories(RuleSet? rules = null, int ordinary = 200)
    {
        _screener = new(rules ?? new());
        // ordinary payments of strangers, so that it is known what is usual: 20 to 40
        for (var i = 0; i < ordinary; i++)
            Pay($"stranger-{i}", 20 + _random.Next(21), at: Now.AddHours(-1));
    }

    public static DateTimeOffset Now { get; } = new(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);

    public HistoryBook Book { get; private set; } = new();

    /// <summary>A payment; what is not said is the shopper's own. The account is as old as <paramref name="accountDays"/>; 0 for a first order.</summary>
    public Assessment Pay(string shopper, decimal amount, DateTimeOffset? at = null, string? card = null, string? device = null, string? address = null,
        string country = "DE", double accountDays = 400, bool declined = false)
    {
        var time = at ?? Now;
        var facts = new PaymentFacts(new(++_payments, 0, 0, new byte[8]), time, shopper, card ?? $"card of {shopper}", device ?? $"device of {shopper}",
            address ?? $"address of {shopper}", country, amount, "EUR", accountDays == 0 ? null : time.AddDays(-accountDays));
        var keys = HistoryKeys.Of(facts);
        var assessment = _screener.Screen(facts, keys, Book.Of(facts, keys));
        if (declined && assessment.Verdict == Verdict.Authorize)
            Book.Mark(facts.PaymentId, keys, ObservationMarks.Declined);
        return assessment;
    }

    /// <summary>All that is remembered is written and read again, as a restart does.</summary>
    public void Restart() => Book = Book.Restored();
}
