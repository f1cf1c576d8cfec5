using Shop.Activity.ReadingEvents;

namespace Shop.Activity.Tests;

public sealed class TimelineTests
{
    [Fact]
    public void Events_that_did_not_cause_each_other_come_by_time() =>
        AssertSorted("a b c", Event("c", at: 3), Event("a", at: 1), Event("b", at: 2));

    [Fact]
    public void Equal_times_keep_the_order_given() =>
        AssertSorted("c a b", Event("c", at: 1), Event("a", at: 1), Event("b", at: 1));

    [Fact]
    public void A_cause_comes_before_its_effect_whatever_the_clocks_say() =>
        AssertSorted("a b", Event("b", at: 1, cause: "a"), Event("a", at: 2));

    [Fact]
    public void A_chain_of_causes_holds_together() =>
        AssertSorted("a b c d", Event("d", at: 1, cause: "c"), Event("c", at: 2, cause: "b"), Event("b", at: 3, cause: "a"), Event("a", at: 4));

    [Fact]
    public void What_waits_for_its_cause_does_not_hold_up_the_others() =>
        AssertSorted("x y a b", Event("b", at: 1, cause: "a"), Event("x", at: 2), Event("y", at: 3), Event("a", at: 4));

    [Fact]
    public void Two_effects_of_a_cause_come_by_time() =>
        AssertSorted("a c b", Event("a", at: 1), Event("b", at: 9, cause: "a"), Event("c", at: 8, cause: "a"));

    [Fact]
    public void A_partition_keeps_its_order_whatever_the_clocks_say() =>
        AssertSorted("a b", Event("b", at: 1, topic: "orders", offset: 8), Event("a", at: 2, topic: "orders", offset: 7));

    [Fact]
    public void Offsets_of_different_partitions_say_nothing() =>
        AssertSorted("b a", Event("a", at: 2, topic: "orders", offset: 1), Event("b", at: 1, topic: "payments", offset: 9));

    [Fact]
    public void A_cause_that_is_not_there_does_not_matter() =>
        AssertSorted("a b", Event("b", at: 2, cause: "elsewhere"), Event("a", at: 1));

    [Fact]
    public void An_event_that_claims_to_be_its_own_cause_is_just_an_event() =>
        AssertSorted("a b", Event("b", at: 2, cause: "b"), Event("a", at: 1));

    [Fact]
    public void A_circle_of_causes_comes_by_time() =>
        AssertSorted("x a b c", Event("a", at: 1, cause: "c"), Event("c", at: 3, cause: "b"), Event("b", at: 2, cause: "a"), Event("x", at: 4));

    [Fact]
    public void Nothing_is_sorted_into_nothing() => Assert.Empty(Timeline.Sort([]));

    [Fact]
    public void Each_step_has_its_cause_and_its_duration_since_then()
    {
        var steps = Timeline.WithSteps(Timeline.Sort([Event("a", at: 1), Event("b", at: 3, cause: "a"), Event("c", at: 4, cause: "a"), Event("d", at: 9, cause: "elsewhere"), Event("e", at: 9.5)]));

        Assert.Equal([null, "a", "a", null, null], steps.Select(e => e.CausedBy));
        Assert.Equal([null, 2000, 3000, 5000, 500], steps.Select(e => e.TookMs));
    }

    [Fact]
    public void A_step_between_two_clocks_takes_no_negative_time() =>
        Assert.Equal([null, 0], Timeline.WithSteps(Timeline.Sort([Event("b", at: 1, cause: "a"), Event("a", at: 2)])).Select(e => e.TookMs));

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 50)];

    [Theory, MemberData(nameof(Seeds))]
    public void No_event_gets_lost_and_no_effect_comes_before_its_cause(int seed)
    {
        var random = new Random(seed);
        var ids = Enumerable.Range(0, random.Next(1, 40)).Select(_ => Guid.NewGuid()).ToArray();
        // an event is caused by one with a lower index, its clock is anybody's
        var events = ids.Select((id, i) => new TimelineEvent("t", Time(random.Next(10)), $"topic-{i}", 0, i, id, i > 0 && random.Next(3) > 0 ? ids[random.Next(i)] : null, null)).ToArray();
        random.Shuffle(events);

        var sorted = Timeline.Sort(events);

        Assert.Equal(events.Select(e => e.Id).Order(), sorted.Select(e => e.Id).Order());
        var position = sorted.Select((e, i) => (e.Id, i)).ToDictionary(pair => pair.Id, pair => pair.i);
        Assert.All(sorted, e => Assert.True(e.CausationId is not { } cause || position[cause] < position[e.Id]));
        // sorting what is sorted changes nothing
        Assert.Equal(sorted, Timeline.Sort(sorted));
    }

    private static void AssertSorted(string expected, params TimelineEvent[] events) =>
        Assert.Equal(expected, string.Join(' ', Timeline.Sort(events).Select(e => e.Type)));

    /// <summary>An event with its name as type; each is on a topic of its own unless one is given.</summary>
    private static TimelineEvent Event(string name, double at, string? cause = null, string? topic = null, long offset = 0) =>
        new(name, Time(at), topic ?? $"topic-{name}", 0, offset, Id(name), cause is null ? null : Id(cause), null);

    private static DateTimeOffset Time(double second) => DateTimeOffset.UnixEpoch.AddSeconds(second);

    private static Guid Id(string name)
    {
        var bytes = new byte[16];
        System.Text.Encoding.ASCII.GetBytes(name, bytes);
        return new(bytes);
    }
}
