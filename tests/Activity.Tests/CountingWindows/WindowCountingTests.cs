using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Shop.Activity.CountingWindows;
using Shop.Contracts;
using Shop.Messaging.Consuming;

namespace Shop.Activity.Tests.CountingWindows;

/// <summary>Which window an event is counted in, and what its confirmation adds.</summary>
public sealed class WindowCountingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Order = Guid.CreateVersion7();
    private static readonly OrderSubmitted Submitted = new(Order, "ada", [new("mug-blue", 2, new(9.50m, "EUR")), new("mug-red", 1, new(1, "EUR"))], new(20, "EUR"),
        new("A", "B", "C", "D", "DE"), Noon);

    [Fact]
    public void An_event_is_counted_in_the_minute_in_which_it_happened() =>
        Assert.Equal(["11:58 fulfilled= 1", "12:00 cancelled= 1", "12:00 fulfilled= 2"], Count([],
            Record(new OrderFulfilled(Order), "12:00:00", "12:00:30"), Record(new OrderFulfilled(Order), "12:00:59.9", "12:01:30"),
            Record(new OrderCancelled(Order, "x"), "12:00:10", "12:01:31"), Record(new OrderFulfilled(Order), "11:58:59", "12:01:32")));

    [Fact]
    public void What_comes_within_the_lateness_updates_its_window_and_what_comes_later_is_counted_as_late() =>
        Assert.Equal(["11:00 fulfilled= 1", "12:00 late=OrderFulfilled 1", "12:59 late=OrderFulfilled 1"], Count([],
            Record(new OrderFulfilled(Order), "11:00:00", "12:00:00"), Record(new OrderFulfilled(Order), "11:00:00", "12:00:01"),
            // a clock that is ahead
            Record(new OrderFulfilled(Order), "14:00:00", "12:59:59")));

    [Fact]
    public void Revenue_and_sales_are_counted_with_the_confirmation() =>
        Assert.Equal(["12:00 submitted= 1", "12:01 confirmed= 1", "12:01 revenue=EUR 20", "12:01 sold=mug-blue 2", "12:01 sold=mug-red 1"], Count([],
            Record(Submitted, "12:00:00"), Record(new OrderConfirmed(Order), "12:01:00")));

    [Fact]
    public void An_order_of_an_earlier_batch_is_remembered() =>
        Assert.Equal(["12:01 confirmed= 1", "12:01 revenue=USD 7", "12:01 sold=x 3"], Count([new(Order, 7, "USD", ["x"], [3])],
            Record(new OrderConfirmed(Order), "12:01:00")));

    [Fact]
    public void Revenue_is_counted_once_and_not_for_an_order_that_is_cancelled()
    {
        Assert.Equal(["12:00 submitted= 1", "12:01 confirmed= 2", "12:01 revenue=EUR 20", "12:01 sold=mug-blue 2", "12:01 sold=mug-red 1"], Count([],
            Record(Submitted, "12:00:00"), Record(new OrderConfirmed(Order), "12:01:00"), Record(new OrderConfirmed(Order), "12:01:00")));
        Assert.Equal(["12:00 submitted= 1", "12:01 cancelled= 1", "12:02 confirmed= 1"], Count([],
            Record(Submitted, "12:00:00"), Record(new OrderCancelled(Order, "x"), "12:01:00"), Record(new OrderConfirmed(Order), "12:02:00")));
    }

    [Fact]
    public void The_funnel_counts_what_visitors_do_and_not_what_they_take_back() =>
        Assert.Equal(["12:00 cart= 1", "12:00 checkout= 1", "12:00 viewed= 1"], Count([],
            Record(new ProductViewed(Order, "x"), "12:00:00"), Record(new CartChanged(Order, "x", 1), "12:00:00"), Record(new CartChanged(Order, "x", 0), "12:00:00"),
            Record(new CheckoutStarted(Order), "12:00:00"), Record(new ProductSearched(Order, "x"), "12:00:00")));

    [Fact]
    public void What_cannot_be_read_and_what_is_on_another_topic_is_passed_over()
    {
        var confirmed = Record(new OrderConfirmed(Order), "12:00:00");
        Assert.Empty(Count([], new ConsumedRecord("payments", 0, 1, confirmed.Key, Noon, confirmed.Headers, confirmed.Body)));
        var submitted = Record(Submitted, "12:00:00");
        Assert.Equal(["12:00 confirmed= 1", "12:00 submitted= 1"], Count([],
            new ConsumedRecord("orders", 0, 1, submitted.Key, Noon, submitted.Headers, "{"u8.ToArray()), Record(new OrderConfirmed(Order), "12:00:00")));
    }

    private static List<string> Count(OpenOrder[] known, params ConsumedRecord[] records)
    {
        var counting = new WindowCounting(TimeSpan.FromHours(1), known.ToDictionary(order => order.OrderId));
        foreach (var record in records)
            counting.Count(record);
        return [.. counting.Counts.Select(count => $"{count.Key.Minute:HH:mm} {count.Key.Measure}={count.Key.Dimension} {count.Value:0.##}").Order(StringComparer.Ordinal)];
    }

    private static ConsumedRecord Record(object @event, string at, string? writtenAt = null)
    {
        var topic = Topics.All.Single(topic => topic.TryGetEvent(@event.GetType(), out _));
        topic.TryGetEvent(@event.GetType(), out var type);
        var headers = new Headers
        {
            { "ce_id", Encoding.UTF8.GetBytes(Guid.CreateVersion7().ToString()) }, { "ce_type", Encoding.UTF8.GetBytes(type!.Name) }, { "ce_source", "/test"u8.ToArray() },
            { "ce_time", Encoding.UTF8.GetBytes($"2026-11-26T{at}Z") },
        };
        return new(topic.Name, 0, 0, type.KeyOf(@event), DateTimeOffset.Parse($"2026-11-26T{writtenAt ?? at}Z"), headers, JsonSerializer.SerializeToUtf8Bytes(@event, type.Json));
    }
}
