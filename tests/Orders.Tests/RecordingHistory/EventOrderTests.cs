using Shop.Orders.RecordingHistory;

namespace Shop.Orders.Tests.RecordingHistory;

public sealed class EventOrderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The life of an order that goes well; name, topic, cause.</summary>
    private static readonly (string Name, string Topic, string? Cause)[] Life =
    [
        ("order-submitted", "orders", null), ("stock-reserved", "reservations", "order-submitted"), ("payment-requested", "orders", "stock-reserved"),
        ("payment-authorized", "payments", "payment-requested"), ("order-confirmed", "orders", "payment-authorized"),
        ("stock-dispatched", "reservations", "order-confirmed"), ("payment-captured", "payments", "order-confirmed"), ("order-fulfilled", "orders", "payment-captured"),
    ];

    [Fact]
    public void Events_without_a_cause_come_by_time_after_the_submission() =>
        AssertPlaced("order-submitted stock-reserved payment-authorized", "",
            Event("payment-authorized", "payments", at: 3), Event("stock-reserved", "reservations", at: 2), Event("order-submitted", "orders", at: 9));

    [Fact]
    public void Nothing_is_placed_before_the_submission() => AssertPlaced("", "", Event("stock-reserved", "reservations"), Event("payment-authorized", "payments"));

    [Fact]
    public void An_effect_waits_for_its_cause_whatever_the_clocks_say() =>
        AssertPlaced("order-submitted stock-reserved payment-requested", "", Event("order-submitted", "orders", at: 5), Event("payment-requested", "orders", at: 1, "stock-reserved"),
            Event("stock-reserved", "reservations", at: 2, "order-submitted"));

    [Fact]
    public void What_lies_behind_a_waiting_event_of_its_topic_waits_too() =>
        AssertPlaced("order-submitted stock-reserved", "", Event("order-submitted", "orders"), Event("payment-held", "payments", cause: "elsewhere"),
            Event("payment-authorized", "payments"), Event("stock-reserved", "reservations"));

    [Fact]
    public void The_fulfilment_waits_for_both_that_it_is_made_of() =>
        AssertPlaced("payment-captured", "order-submitted order-confirmed", Event("payment-captured", "payments", cause: "order-confirmed"),
            Event("order-fulfilled", "orders", cause: "payment-captured"));

    [Fact]
    public void What_is_placed_already_is_not_placed_again() =>
        AssertPlaced("stock-reserved", "order-submitted", Event("order-submitted", "orders"), Event("stock-reserved", "reservations"), Event("stock-reserved", "reservations"));

    [Fact]
    public void What_has_waited_long_enough_is_placed_with_what_waited_for_it()
    {
        var waiting = new[] { Event("payment-held", "payments", cause: "elsewhere"), Event("payment-authorized", "payments", cause: "payment-held"), Event("stock-released", "reservations", cause: "unknown") };

        var placed = EventOrder.Place([(Id("order-submitted"), TypeOf("order-submitted", "orders"))], waiting, e => e.EventId == Id("payment-held"));

        Assert.Equal(["payment-held", "payment-authorized"], Names(placed));
    }

    [Fact]
    public void Two_that_wait_for_each_other_are_placed_when_one_has_waited_long_enough()
    {
        var circle = new[] { Event("stock-released", "reservations", cause: "payment-voided"), Event("payment-voided", "payments", cause: "stock-released") };

        Assert.Empty(EventOrder.Place([(Id("order-submitted"), TypeOf("order-submitted", "orders"))], circle, _ => false));
        Assert.Equal(["payment-voided", "stock-released"],
            Names(EventOrder.Place([(Id("order-submitted"), TypeOf("order-submitted", "orders"))], circle, e => e.EventId == Id("payment-voided"))));
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 100)];

    /// <summary>The topics are read in any interleaving, in batches of any size, by clocks that are off: the history is the same story.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void However_the_topics_are_read_every_event_gets_a_place_after_its_cause(int seed)
    {
        var random = new Random(seed);
        var unread = Life.Select(e => Event(e.Name, e.Topic, random.Next(10), e.Cause)).GroupBy(e => e.Topic).Select(topic => new Queue<OrderEvent>(topic)).ToList();
        var (history, waiting) = (new List<OrderEvent>(), new List<OrderEvent>());
        while (unread.Count > 0)
        {
            var arrived = new List<OrderEvent>();
            for (var i = random.Next(1, 4); i > 0 && unread.Count > 0; i--)
            {
                var topic = unread[random.Next(unread.Count)];
                arrived.Add(topic.Dequeue());
                unread.RemoveAll(rest => rest.Count == 0);
            }
            var open = waiting.Concat(arrived).OrderBy(e => Array.FindIndex(Life, known => Id(known.Name) == e.EventId)).ToList();
            history.AddRange(EventOrder.Place(history.Select(e => (e.EventId, e.Type)), open, _ => false).Numbered(history.Count));
            waiting = [.. open.Where(e => history.All(placed => placed.EventId != e.EventId))];
        }

        Assert.Equal(Enumerable.Range(1, Life.Length), history.Select(e => e.Sequence));
        var names = Names(history);
        Assert.Equal(["order-submitted", "stock-reserved", "payment-requested", "payment-authorized", "order-confirmed"], names.Take(5));
        Assert.Equal(["payment-captured", "stock-dispatched"], names.Skip(5).Take(2).Order());
        Assert.Equal("order-fulfilled", names[7]);
    }

    private static void AssertPlaced(string expected, string placed, params OrderEvent[] events) => Assert.Equal(expected, string.Join(' ', Names(EventOrder.Place(
        placed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => (Id(name), TypeOf(name, Life.First(e => e.Name == name).Topic))), events, _ => false))));

    private static List<string> Names(IEnumerable<OrderEvent> events) => [.. events.Select(e => e.Type.Split('.')[2])];

    private static OrderEvent Event(string name, string topic, int at = 0, string? cause = null) => new()
    {
        OrderId = SampleOrders.Id,
        EventId = Id(name),
        Type = TypeOf(name, topic),
        Topic = topic,
        Partition = 0,
        Offset = 0,
        At = Noon.AddSeconds(at),
        CausationId = cause is null ? null : Id(cause),
        Data = "{}",
    };

    private static string TypeOf(string name, string topic) => $"shop.{topic}.{name}.v1";

    private static Guid Id(string name)
    {
        var bytes = new byte[16];
        System.Text.Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(16, name.Length)), bytes);
        return new(bytes);
    }
}
