using System.Diagnostics;
using System.Globalization;
using Shop.Orders.Tests.FulfillingOrder;
using Shop.Testing;

namespace Shop.Orders.Tests.Interleaving;

/// <summary>
/// Every order in which the events of an order can arrive across the topics (each topic keeps its own), with deadlines, cancellations,
/// repetitions and losses at every moment: the order ends, stock is sent or given back, money is taken if and only if the order is
/// fulfilled, and nothing fails. <see cref="Explorer"/> says how; run with <c>-showliveoutput</c> to see the counts.
/// </summary>
public sealed class InterleavingTests(ITestOutputHelper output)
{
    private const string Fulfilled = "Fulfilled", ByShopper = "Cancelled: Cancelled by the shopper",
        NoStockInTime = "Cancelled: The stock could not be reserved in time", NoPaymentInTime = "Cancelled: The payment could not be completed in time";

    private static readonly string[] UsualEnds = [Fulfilled, ByShopper, NoStockInTime, NoPaymentInTime];
    private static readonly string[] ReviewsEnds = [Fulfilled, NoStockInTime, NoPaymentInTime, "Cancelled: The payment was not approved in time", "Cancelled: Payment declined: not accepted"];

    /// <summary>Each scenario with the ways in which its orders end, and how many runs it has at least: fewer would mean that the test does not look everywhere any more.</summary>
    private static readonly (Scenario Scenario, long Runs, string[] Ends)[] Cases =
    [
        (new("a good card, and an event that comes again later") { Redeliveries = 1 }, 130_000, UsualEnds),
        (new("every event comes twice") { Doubled = true }, 28_000, UsualEnds),
        (new("two cancellations") { Cancellations = 2 }, 48_000, UsualEnds),
        (new("not enough in stock") { Stock = 1, Redeliveries = 1 }, 1_600,
            [ByShopper, NoStockInTime, "Cancelled: Not enough in stock: mug-blue (2 ordered, 1 available)"]),
        (new("the card is declined") { Token = "tok_declined", Redeliveries = 1 }, 58_000,
            [ByShopper, NoStockInTime, NoPaymentInTime, "Cancelled: Payment declined: card_declined"]),
        (new("the payment is held for review") { Held = true }, 40_000, [.. ReviewsEnds, ByShopper]),
        (new("the provider's answers are lost") { AbandonedCalls = 2 }, 200_000, UsualEnds),
        (new("the reservation is lost") { LostReservations = 1 }, 160_000,
            [.. UsualEnds, "Cancelled: The reserved stock was given back before the order was complete"]),
        (new("somebody voids at the provider") { VoidsByHand = 1, AbandonedCalls = 1 }, 140_000,
            [.. UsualEnds, "Cancelled: The payment was taken back; the goods had left already"]),
        (new("an answer is lost, and an operator repairs") { LostAnswers = 1, Repairs = 1, Cancellations = 2 }, 850_000, UsualEnds),
        (new("an operator repairs what is not broken") { Repairs = 1, Cancellations = 2 }, 1_850_000, UsualEnds),
        (new("a held payment is repaired") { Held = true, Repairs = 1 }, 1_400_000, [.. ReviewsEnds, ByShopper]),
    ];

    public static TheoryData<string> Names { get; } = [.. Cases.Select(row => row.Scenario.Name)];

    [Long]
    [Theory, MemberData(nameof(Names))]
    public async Task Every_run_ends_right(string name)
    {
        var (scenario, least, ends) = Cases.Single(row => row.Scenario.Name == name);
        await using var machine = await FulfilmentMachine.GivenAsync("Submitted");
        var explorer = new Explorer(machine);
        var watch = Stopwatch.StartNew();

        var runs = await explorer.ExploreAsync(new(scenario));

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {runs:N0} runs, {explorer.Worlds:N0} worlds, {explorer.Steps:N0} steps, {explorer.Ends:N0} ends in {watch.Elapsed.TotalSeconds:N1} s"));
        Assert.Equal(ends.Order(StringComparer.Ordinal), explorer.Outcomes);
        Assert.True(runs >= least, $"only {runs:N0} runs");
    }

    /// <summary>Nobody else has heard of such an order, and nobody ever will.</summary>
    [Fact]
    public async Task An_order_whose_submission_the_topic_has_lost_ends_all_the_same()
    {
        await using var machine = await FulfilmentMachine.GivenAsync("Submitted");
        var explorer = new Explorer(machine);

        await explorer.ExploreAsync(new(new("the submission is lost") { SubmissionLost = true, Cancellations = 2, Redeliveries = 1 }));

        Assert.Equal([ByShopper, NoStockInTime], explorer.Outcomes);
    }

    [Fact]
    public async Task A_lost_answer_without_a_repair_is_found_out()
    {
        await using var machine = await FulfilmentMachine.GivenAsync("Submitted");

        // the explorer has to be able to fail: nobody repairs this one
        var wrong = await Assert.ThrowsAsync<InvalidOperationException>(() => new Explorer(machine).ExploreAsync(new(new("lost for good") { LostAnswers = 1 })));

        Assert.Contains("the order stays Confirmed", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("loses", wrong.Message, StringComparison.Ordinal);
    }
}
