using Shop.Contracts;

namespace Shop.Orders.RecordingHistory;

/// <summary>
/// Decides in which order the events of an order enter its history. Topics are read independently, so an effect may be read before its
/// cause; here a cause always comes first, the submission before everything, and the events of one topic in that topic's order.
/// </summary>
/// <remarks>A merge of the topics by time that stops where a head's prerequisite has not been placed (after Kahn's topological sort,
/// Communications of the ACM 5, 1962). Time alone would not do: each service stamps its events with a clock of its own.</remarks>
public static class EventOrder
{
    private static readonly string Submitted = NameOf<OrderSubmitted>(), Dispatched = NameOf<StockDispatched>(), Captured = NameOf<PaymentCaptured>(),
        Fulfilled = NameOf<OrderFulfilled>();

    /// <summary>Places the events that are not in the history yet.</summary>
    /// <param name="placed">What is in the history: ids and types.</param>
    /// <param name="waiting">The events of the same order that are not, in each topic's order.</param>
    /// <param name="isOverdue">Whether an event has waited long enough: it is placed though something is missing before it, which
    /// then never came or belongs to somebody else.</param>
    /// <returns>Those to be added to the history, in their order; the others go on waiting.</returns>
    public static IReadOnlyList<OrderEvent> Place(IEnumerable<(Guid Id, string Type)> placed, IEnumerable<OrderEvent> waiting, Func<OrderEvent, bool> isOverdue)
    {
        var ids = new HashSet<Guid>();
        var types = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (id, type) in placed)
        {
            ids.Add(id);
            types.Add(type);
        }
        var topics = waiting.GroupBy(e => e.Topic).Select(topic => new Queue<OrderEvent>(topic)).ToList();
        var result = new List<OrderEvent>();
        while (true)
        {
            foreach (var topic in topics)
            {
                while (topic.TryPeek(out var head) && ids.Contains(head.EventId))
                    topic.Dequeue();
            }
            topics.RemoveAll(topic => topic.Count == 0);
            if ((topics.Where(topic => IsReady(topic.Peek(), ids, types)).MinBy(topic => topic.Peek().At)
                ?? topics.Where(topic => isOverdue(topic.Peek())).MinBy(topic => topic.Peek().At)) is not { } next)
                return result;
            var e = next.Dequeue();
            ids.Add(e.EventId);
            types.Add(e.Type);
            result.Add(e);
        }
    }

    /// <summary>Gives the events the places that follow the last one, in their order.</summary>
    /// <param name="events">What <see cref="Place"/> placed.</param>
    /// <param name="last">The last place that is taken; 0 in an empty history.</param>
    public static IEnumerable<OrderEvent> Numbered(this IEnumerable<OrderEvent> events, int last) => events.Select(e => e with { Sequence = ++last });

    private static bool IsReady(OrderEvent e, HashSet<Guid> ids, HashSet<string> types) =>
        e.Type == Submitted
        || types.Contains(Submitted)
        && (e.CausationId is not { } cause || ids.Contains(cause))
        // its cause is the later of the two; the earlier one had to be there just as well
        && (e.Type != Fulfilled || types.Contains(Dispatched) && types.Contains(Captured));

    private static string NameOf<T>() => OrderTopics.TypeOf(typeof(T)).Name;
}
