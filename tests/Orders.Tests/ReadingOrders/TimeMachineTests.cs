using System.Globalization;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Orders.RecordingHistory;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.ReadingOrders;

public sealed class TimeMachineTests(OrdersFixture fixture)
{
    [Fact]
    public async Task An_order_is_seen_as_it_was_after_each_of_its_events_and_at_each_of_their_times()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var submitted = await service.Http.SubmitAsync(shopper);
        var id = submitted.Id;
        await service.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]), at: DateTimeOffset.UtcNow);
        await service.Http.BecomesAsync("reserved", shopper, id);
        await HistoryAsync(service, id, 3);
        await service.ProduceAsync(new PaymentDeclined(id, id, "card_declined"), at: DateTimeOffset.UtcNow);
        await service.Http.BecomesAsync("cancelled", shopper, id);
        var history = await HistoryAsync(service, id, 5);

        string[] expected = ["submitted", "submitted", "reserved", "reserved", "cancelled"];
        for (var i = 0; i < expected.Length; i++)
        {
            var byEvent = await service.Http.GetAsync(shopper, $"/api/orders/{id}?at={history[i].EventId}");
            var byTime = await service.Http.GetAsync(shopper, $"/api/orders/{id}?at={Rfc3339(history[i].At)}");
            Assert.Equal((HttpStatusCode.OK, expected[i]), (byEvent.Status, byEvent.OrderStatus));
            Assert.Equal(byEvent, byTime);
        }
        var atSubmission = await service.Http.GetAsync(shopper, $"/api/orders/{id}?at={submitted.Json.GetProperty("submittedAt").GetString()!.Replace("+", "%2B")}");
        Assert.Equal(submitted.Text, atSubmission.Text);
        // in the end it is the order as it is, but for the moment between the state machine's decision and the event's stamp
        var (now, then) = ((await service.Http.ReadAsync(shopper, id)).Json, (await service.Http.GetAsync(shopper, $"/api/orders/{id}?at=2999-01-01T00:00:00Z")).Json);
        foreach (var member in now.EnumerateObject().Where(member => member.Name != "updatedAt"))
            Assert.Equal(member.Value.GetRawText(), then.GetProperty(member.Name).GetRawText());
        Assert.InRange(then.GetProperty("updatedAt").GetDateTimeOffset() - now.GetProperty("updatedAt").GetDateTimeOffset(), TimeSpan.FromSeconds(-30), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Before_its_submission_and_after_no_event_of_its_own_there_is_no_order()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var order = await service.Http.SubmitAsync(shopper);
        var another = await service.Http.SubmitAsync(shopper);
        var anothers = (await HistoryAsync(service, another.Id, 1))[0].EventId;
        await HistoryAsync(service, order.Id, 1);
        var before = order.Json.GetProperty("submittedAt").GetDateTimeOffset().AddTicks(-10);

        foreach (var at in new[] { Rfc3339(before), "0001-01-01T00:00:00Z", anothers.ToString(), Guid.Empty.ToString() })
        {
            var answer = await service.Http.GetAsync(shopper, $"/api/orders/{order.Id}?at={at}");
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (answer.Status, answer.MediaType));
        }
        Assert.Equal(HttpStatusCode.NotFound, (await service.Http.GetAsync(NewShopper(), $"/api/orders/{order.Id}?at=2999-01-01T00:00:00Z")).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-11-23")]
    [InlineData("2026-11-23T08:00:00")]
    [InlineData("2026-11-23T08:00:00+01:00")] // the + is a space
    [InlineData("2026-11-23T25:00:00Z")]
    [InlineData("9999-12-31T23:59:59-14:00")]
    [InlineData("%00")]
    [InlineData("%ff%fe")]
    [InlineData("%ed%a0%80")]
    [InlineData("1e400")]
    [InlineData("1%27%20OR%201=1")]
    [InlineData("01a2055e-20d9-76ac-b2d2-47ee76b4825")]
    [InlineData("2026-11-23T08:00:00Z&at=2026-11-23T08:00:00Z")]
    public async Task A_malformed_at_is_400_and_named(string at)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;

        var answer = await service.Http.GetAsync(shopper, $"/api/orders/{id}?at={at}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(["at"], answer.Fields);
    }

    private static async Task<List<OrderEvent>> HistoryAsync(OrdersService service, Guid id, int count)
    {
        await Eventually.BecomesAsync(count, () => service.QueryAsync(db => db.OrderEvents.CountAsync(e => e.OrderId == id)));
        return await service.QueryAsync(db => db.HistoryOfAsync(id, TestContext.Current.CancellationToken));
    }

    private static string Rfc3339(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
