using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>What is remembered of a key, and how it slides.</summary>
public sealed class HistoryTests
{
    private const uint Day = 86_400, Now = 100 * Day;

    [Fact]
    public void Windows_end_with_the_payment_that_is_screened_and_forget_to_the_second()
    {
        var history = new History();
        foreach (var ago in (uint[])[30 * Day, 7 * Day, Day, Day - 1, 3_600, 600, 599])
            history.Add(new() { At = Now - ago, Card = ago, Amount = 1 });
        var windows = SlidingWindows.Of(history, new() { At = Now, Card = 1, Amount = 1 });
        Assert.Equal([2, 3, 5, 6, 7], new[] { windows.TenMinutes, windows.Hour, windows.Day, windows.Week, windows.Month }.Select(window => window.Count));
        Assert.Equal(windows.Month.Count, windows.Month.Cards);
    }

    [Fact]
    public void A_late_payment_takes_its_place_and_a_repeated_card_counts_once()
    {
        var history = new History();
        history.Add(new() { At = Now, Card = 5, Shopper = 3 });
        history.Add(new() { At = Now - 10, Card = 5, Shopper = 7 });
        Assert.Equal([Now - 10, Now], history.Observations.ToArray().Select(observation => observation.At));
        Assert.Equal(Now - 10, history.FirstSeenAt);
        var window = SlidingWindows.Of(history, new() { At = Now, Card = 5, Shopper = 3 }).Hour;
        Assert.Equal((3, 1, 2), (window.Count, window.Cards, window.Shoppers));
    }

    [Fact]
    public void It_stays_small_and_a_flood_of_stopped_payments_does_not_wash_out_what_was_before()
    {
        var history = new History();
        for (uint i = 0; i < 16; i++)
            history.Add(new() { At = Now + i, Device = 11 });
        for (uint i = 0; i < 10_000; i++)
            history.Add(new() { At = Now + 100 + i, Device = 13, Marks = ObservationMarks.Stopped });
        Assert.Equal(History.Capacity, history.Observations.Length);
        Assert.Equal(10_016, history.Total);
        Assert.True(history.Observations.ToArray().Count(observation => observation.Device == 11) >= 15);
        Assert.True(history.Encode().Length < 1_100);
    }

    [Fact]
    public void A_refusal_and_an_approval_are_found_again_by_the_payment()
    {
        var history = new History();
        history.Add(new() { At = Now, Payment = 9, Marks = ObservationMarks.Stopped | ObservationMarks.OnOwnGrounds });
        Assert.True(history.Observations[0].IsSuspect);
        Assert.True(history.Mark(9, ObservationMarks.Approved));
        Assert.False(history.Observations[0].IsStopped);
        Assert.True(history.Mark(9, ObservationMarks.Declined));
        Assert.True(history.Observations[0].IsDeclined);
        Assert.False(history.Mark(10, ObservationMarks.Declined));
    }

    [Fact]
    public void What_is_stored_is_read_as_it_was_and_what_is_not_ours_is_refused()
    {
        var history = new History();
        history.Add(new() { At = Now, Payment = 1, Card = 2, Shopper = 3, Device = 4, Address = 5, Amount = 6.5f, Country = 7, Marks = ObservationMarks.NewCard });
        var read = History.Decode(history.Encode());
        Assert.Equal(history.Observations.ToArray(), read.Observations.ToArray());
        Assert.Equal((history.FirstSeenAt, history.Total), (read.FirstSeenAt, read.Total));
        Assert.Throws<FormatException>(() => History.Decode([9, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Throws<FormatException>(() => History.Decode(history.Encode().AsSpan(..^1)));
    }

    [Theory]
    [InlineData(180, true)]
    [InlineData(181, false)]
    public void A_key_that_is_not_seen_for_long_is_not_known_any_more(int days, bool isKnown)
    {
        var (book, then) = (new HistoryBook(), DateTimeOffset.UnixEpoch.AddDays(20_000));
        var facts = new PaymentFacts(Guid.CreateVersion7(), then, "shopper", "card", "device", "address", "DE", 10, "EUR", then);
        var keys = HistoryKeys.Of(facts);
        new Screener(new()).Screen(facts, keys, book.Of(facts, keys));
        var later = book.Of(facts with { At = then.AddDays(days) }, keys);
        Assert.All([later.Card, later.Shopper, later.Device!, later.Address!], history => Assert.Equal(isKnown ? 1 : 0, history.Total));
    }

    [Fact]
    public void Where_there_is_room_for_few_keys_those_are_forgotten_that_were_not_seen_for_longest()
    {
        const int Most = 1_000;
        var (book, screener, regular) = (new HistoryBook(Most), new Screener(new()), 0);
        for (var i = 0; i < 20_000; i++)
        {
            var facts = new PaymentFacts(Guid.CreateVersion7(), DateTimeOffset.UnixEpoch.AddDays(20_000).AddSeconds(i), i % 50 == 0 ? "regular" : $"shopper-{i}", $"card-{i}", null, null, "DE", 10, "EUR", DateTimeOffset.UnixEpoch);
            var keys = HistoryKeys.Of(facts);
            screener.Screen(facts, keys, book.Of(facts, keys));
            Assert.True(book.Count <= Most);
            if (i % 50 == 0)
                Assert.Equal(++regular, book.Of(facts, keys).Shopper.Total);
        }
        Assert.InRange(book.Forgotten, 2 * 19_600 - Most - 1, 2 * 20_000);
    }

    [Fact]
    public void What_is_seen_at_the_moment_is_not_what_is_forgotten_for_it()
    {
        var (book, screener) = (new HistoryBook(4), new Screener(new()));
        foreach (var (who, seen) in (IEnumerable<(string, int)>)[("a", 1), ("b", 1), ("c", 1), ("a", 1), ("c", 2), ("a", 2)])
        {
            // card and shopper are a key each, the card first: a payment is a generation
            var facts = new PaymentFacts(Guid.CreateVersion7(), DateTimeOffset.UnixEpoch.AddDays(20_000), who, $"card of {who}", null, null, "DE", 10, "EUR", DateTimeOffset.UnixEpoch);
            var keys = HistoryKeys.Of(facts);
            screener.Screen(facts, keys, book.Of(facts, keys));
            Assert.Equal(seen, book.Of(facts, keys).Card.Total);
        }
        var unknown = HistoryKeys.Of(new(Guid.CreateVersion7(), DateTimeOffset.UnixEpoch, "x", "y", null, null, "DE", 10, "EUR", null));
        var before = book.Count;
        book.Mark(Guid.CreateVersion7(), unknown, ObservationMarks.Declined);
        Assert.Equal(before, book.Count);
    }

    [Fact]
    public void What_is_usual_is_learned_for_any_currency_and_unknown_before()
    {
        var amounts = new AmountDistribution();
        Assert.Equal(1, amounts.Relative(1_000_000));
        var random = new Random(3);
        for (var i = 0; i < 60_000; i++)
            amounts.Add(3_000 + random.Next(4_000));
        Assert.Equal(2, amounts.Relative(10_000), 0.2);
        var read = AmountDistribution.Decode(amounts.Encode());
        Assert.Equal((amounts.Median, amounts.Spread), (read.Median, read.Spread));
    }
}
