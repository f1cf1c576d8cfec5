using System.Net;
using System.Text.Json;
using Shop.Contracts;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RecordingHistory;
using Shop.Orders.Tests.StreamingOrders;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.ReadingOrders;

public sealed class OrderTimelineTests(TwoInstances shop) : IClassFixture<TwoInstances>
{
    [Fact]
    public async Task The_timeline_is_what_the_stream_has_shown_on_every_instance()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(shop.Two.Http, shopper, id);
        await shop.FulfilAsync(id);
        var seen = await stream.RestAsync();

        foreach (var instance in (OrdersService[])[shop.One, shop.Two])
        {
            var timeline = (await instance.Http.GetAsync(shopper, $"/api/orders/{id}/timeline")).Json.EnumerateArray().ToList();
            Assert.Equal(seen.Select(change => change.EventId), timeline.Select(e => e.GetProperty("id").GetGuid()));
            Assert.Equal(["type", "at", "topic", "partition", "offset", "id", "causationId", "data", "causedBy", "tookMs"], timeline[0].EnumerateObject().Select(member => member.Name));
            Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null),
                (timeline[0].GetProperty("causationId").ValueKind, timeline[0].GetProperty("causedBy").ValueKind, timeline[0].GetProperty("tookMs").ValueKind));
            Assert.Equal(("orders", id), (timeline[0].GetProperty("topic").GetString(), timeline[0].GetProperty("data").GetProperty("orderId").GetGuid()));
            Assert.Equal("shop.orders.order-submitted.v1", timeline[1].GetProperty("causedBy").GetString());
            Assert.All(timeline.Skip(1), e => Assert.True(e.GetProperty("tookMs").GetDouble() >= 0));
        }
    }

    [Fact]
    public async Task It_is_for_its_shopper_and_for_operators_who_see_what_a_decision_was_based_on()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper, body: Body(token: "\"tok_visa_4f9a\""))).Id;
        await shop.One.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]));
        await shop.One.ProduceAsync(new PaymentHeld(id, id, 0.93, ["many cards"]));
        // each is recorded for itself, and none comes between the two readings
        await Task.WhenAll(((string[])["stock-reserved", "payment-requested", "payment-held"]).Select(type => shop.RecordedAsync(id, type)));

        var own = await shop.One.Http.GetAsync(shopper, $"/api/orders/{id}/timeline");
        var operators = await shop.One.Http.GetAsOperatorAsync($"/api/orders/{id}/timeline");
        Assert.Equal(own.Json.GetArrayLength(), operators.Json.GetArrayLength());
        Assert.All([own.Text, operators.Text], text => Assert.DoesNotContain("tok_visa_4f9a", text, StringComparison.Ordinal));
        Assert.DoesNotContain("many cards", own.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("0.93", own.Text, StringComparison.Ordinal);
        Assert.Contains("many cards", operators.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await shop.One.Http.GetAsync(NewShopper(), $"/api/orders/{id}/timeline")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await shop.One.Http.SendAsync(null, HttpMethod.Get, $"/api/orders/{id}/timeline")).Status);
    }

    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("not-an-order")]
    [InlineData("%27--")]
    public async Task An_unknown_order_has_no_timeline(string id)
    {
        var answer = await shop.One.Http.GetAsOperatorAsync($"/api/orders/{id}/timeline");
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (answer.Status, answer.MediaType));
    }

    [Fact]
    public void Each_step_has_its_cause_and_its_duration_since_then_which_is_never_negative()
    {
        var timeline = TimelineEvent.Of([Event(1, at: 1), Event(2, at: 3, cause: 1), Event(3, at: 4, cause: 1), Event(4, at: 9, cause: 77), Event(5, at: 9.5), Event(6, at: 1, cause: 5)],
            toOperator: true);

        Assert.Equal([null, "t1", "t1", null, null, "t5"], timeline.Select(e => e.CausedBy));
        Assert.Equal([null, 2000, 3000, 5000, 500, 0], timeline.Select(e => e.TookMs));
    }

    private static OrderEvent Event(int number, double at, int? cause = null) => new()
    {
        OrderId = Guid.Empty,
        Sequence = number,
        EventId = IdOf(number),
        Type = $"t{number}",
        Topic = "orders",
        Partition = 0,
        Offset = number,
        At = DateTimeOffset.UnixEpoch.AddSeconds(at),
        CausationId = cause is { } id ? IdOf(id) : null,
        Data = "{}",
    };

    private static Guid IdOf(int number) => new(number, 0, 0, new byte[8]);
}
