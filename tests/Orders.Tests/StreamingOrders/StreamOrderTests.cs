using System.Net;
using System.Text;
using Shop.Contracts;
using Shop.ServiceDefaults.Authentication;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.StreamingOrders;

public sealed class StreamOrderTests(TwoInstances shop) : IClassFixture<TwoInstances>
{
    [Fact]
    public async Task A_stream_that_was_open_from_the_start_shows_every_change_as_it_happens_and_ends_with_the_order()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(shop.Two.Http, shopper, id);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (stream.Status, stream.Response.Content.Headers.ContentType!.MediaType));
        Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());

        // each is seen before the next is made to happen: nothing on the way holds a change back
        Assert.Equal(("1", "order-submitted", "submitted"), Seen(await stream.NextAsync()));
        var reserved = await shop.One.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]));
        var change = await stream.NextAsync();
        Assert.Equal((("2", "stock-reserved", "submitted"), reserved), (Seen(change), change!.EventId));
        var requested = await stream.NextAsync();
        Assert.Equal(("3", "payment-requested", "reserved"), Seen(requested));
        Assert.DoesNotContain("tok_", requested!.Data, StringComparison.Ordinal);
        await shop.One.ProduceAsync(new PaymentHeld(id, id, 0.9, ["many orders"]));
        var held = await stream.NextAsync();
        Assert.Equal(("4", "payment-held", "inReview"), Seen(held));
        // what the decision will be based on is not the shopper's
        Assert.Equal($$"""{"orderId":"{{id}}","paymentId":"{{id}}"}""", held!.Data);
        await shop.One.ProduceAsync(new PaymentDeclined(id, id, "card_declined"));
        Assert.Equal(("5", "payment-declined", "inReview"), Seen(await stream.NextAsync()));
        Assert.Equal(("6", "order-cancelled", "cancelled"), Seen(await stream.NextAsync()));
        Assert.Null(await stream.NextAsync());
    }

    [Fact]
    public async Task Wherever_it_is_cut_and_on_whichever_instance_it_is_resumed_each_change_comes_once_and_in_order()
    {
        string[] life = ["order-submitted", "stock-reserved", "payment-requested", "payment-authorized", "order-confirmed", "stock-dispatched", "payment-captured", "order-fulfilled"];
        var runs = Enumerable.Range(0, life.Length).Select(async cut =>
        {
            var shopper = NewShopper();
            var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
            var first = await OpenStream.OpenAsync((cut % 2 == 0 ? shop.One : shop.Two).Http, shopper, id);
            var fulfilling = shop.FulfilAsync(id);
            var seen = await first.TakeAsync(cut);
            await first.DisposeAsync();
            await using var second = await OpenStream.OpenAsync((cut % 2 == 0 ? shop.Two : shop.One).Http, shopper, id, seen.LastOrDefault()?.Id);
            seen.AddRange(await second.RestAsync());
            await fulfilling;
            return seen;
        });

        foreach (var seen in await Task.WhenAll(runs))
        {
            Assert.Equal(Enumerable.Range(1, life.Length).Select(i => $"{i}"), seen.Select(change => change.Id));
            Assert.Equal(life.Length, seen.Select(change => change.EventId).Distinct().Count());
            Assert.Equal(life.Take(5), seen.Take(5).Select(change => change.Type));
            Assert.Equal(life.Order(), seen.Select(change => change.Type).Order());
            Assert.Equal(("order-fulfilled", "fulfilled"), (seen[^1].Type, seen[^1].Status));
        }
    }

    [Fact]
    public async Task The_stream_of_an_order_that_has_ended_replays_it_and_after_its_end_there_is_204()
    {
        var (shopper, id) = await CancelledOrderAsync();
        await using var replay = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
        var changes = await replay.RestAsync();

        Assert.Equal(["order-submitted", "stock-rejected", "order-cancelled"], changes.Select(change => change.Type));
        await using var more = await OpenStream.OpenAsync(shop.Two.Http, shopper, id, changes[^1].Id);
        Assert.Equal(HttpStatusCode.NoContent, more.Status);
        await using var last = await OpenStream.OpenAsync(shop.Two.Http, shopper, id, changes[^2].Id);
        Assert.Equal(changes.TakeLast(1), await last.RestAsync());
    }

    [Fact]
    public async Task An_effect_that_is_read_before_its_cause_is_shown_after_it_and_a_repeated_event_once()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
        var cause = Guid.CreateVersion7();

        await shop.One.ProduceAsync(new PaymentVoided(id, id, new(19, "EUR")), cause);
        await shop.One.ProduceAsync(new StockDispatched(id, []), id: cause);
        await shop.One.ProduceAsync(new StockDispatched(id, []), id: cause);
        await shop.One.ProduceAsync(new StockRejected(id, [new("mug-blue", 2, 1)]));

        var types = (await stream.RestAsync()).ConvertAll(change => change.Type);
        Assert.Single(types, type => type == "stock-dispatched");
        Assert.InRange(types.IndexOf("stock-dispatched"), 1, types.IndexOf("payment-voided") < 0 ? int.MaxValue : types.IndexOf("payment-voided") - 1);
        Assert.Equal("order-cancelled", types[^1]);
    }

    [Fact]
    public async Task An_idle_stream_shows_signs_of_life_that_are_no_events()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
        using var reader = new StreamReader(await stream.Response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);

        var comments = 0;
        for (var data = 0; comments < 4;)
        {
            var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            comments += line == ":" ? 1 : 0;
            data += line!.StartsWith("data:", StringComparison.Ordinal) ? 1 : 0;
            Assert.InRange(data, 0, 1);
        }
    }

    [Fact]
    public async Task An_instance_that_has_no_room_says_503_and_one_that_stops_ends_its_streams()
    {
        var service = await shop.StartAnotherAsync(("Streams:PerInstance", "1"));
        var shopper = NewShopper();
        var id = (await service.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(service.Http, shopper, id);
        Assert.Equal("order-submitted", (await stream.NextAsync())!.Type);

        await using var second = await OpenStream.OpenAsync(service.Http, shopper, id);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (second.Status, second.Response.Content.Headers.ContentType!.MediaType));
        Assert.NotNull(second.Response.Headers.RetryAfter);

        // which is not the order's end: another instance goes on
        var stopping = service.DisposeAsync().AsTask();
        Assert.Null(await stream.NextAsync());
        await stopping.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await using var resumed = await OpenStream.OpenAsync(shop.One.Http, shopper, id, "1");
        await shop.One.ProduceAsync(new StockRejected(id, [new("mug-blue", 2, 1)]));
        Assert.Equal(["2", "3"], (await resumed.RestAsync()).Select(change => change.Id));
    }

    [Long]
    [Fact]
    public async Task It_lives_no_longer_than_the_token_it_was_opened_with()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        // on a busy machine that takes longer than the token lives
        await shop.RecordedAsync(id, "order-submitted");
        var oldToken = DevelopmentTokens.Issue(new(Encoding.UTF8.GetBytes(TestTokens.SigningKey)), shopper, [], DateTimeOffset.UtcNow - DevelopmentTokens.Lifetime + TimeSpan.FromSeconds(15));
        await using var stream = await OpenStream.OpenWithTokenAsync(shop.One.Http, oldToken, id);

        Assert.Equal(["order-submitted"], (await stream.RestAsync()).Select(change => change.Type));

        await using var resumed = await OpenStream.OpenAsync(shop.One.Http, shopper, id, "1");
        await shop.One.ProduceAsync(new StockRejected(id, [new("mug-blue", 2, 1)]));
        Assert.Equal(["stock-rejected", "order-cancelled"], (await resumed.RestAsync()).Select(change => change.Type));
    }

    [Fact]
    public async Task Nobody_else_sees_it()
    {
        var id = (await shop.One.Http.SubmitAsync(NewShopper())).Id;

        foreach (var (shopper, order) in new[] { (NewShopper(), id), (NewShopper(), Guid.CreateVersion7()) })
        {
            await using var stream = await OpenStream.OpenAsync(shop.One.Http, shopper, order);
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (stream.Status, stream.Response.Content.Headers.ContentType!.MediaType));
        }
    }

    [Fact]
    public async Task A_shopper_has_three_streams_at_most_and_a_closed_one_makes_room()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        var streams = new List<OpenStream>();
        for (var i = 0; i < 3; i++)
            streams.Add(await OpenStream.OpenAsync(shop.One.Http, shopper, id));

        await using var fourth = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
        Assert.Equal((HttpStatusCode.TooManyRequests, "application/problem+json"), (fourth.Status, fourth.Response.Content.Headers.ContentType!.MediaType));
        Assert.NotNull(fourth.Response.Headers.RetryAfter);
        var other = NewShopper();
        await using var others = await OpenStream.OpenAsync(shop.One.Http, other, (await shop.One.Http.SubmitAsync(other)).Id);
        Assert.Equal(HttpStatusCode.OK, others.Status);

        await streams[0].DisposeAsync();
        streams.RemoveAt(0);
        await Eventually.BecomesTrueAsync(async () =>
        {
            var again = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
            streams.Add(again);
            return again.Status == HttpStatusCode.OK;
        });
        foreach (var stream in streams)
            await stream.DisposeAsync();
    }

    [Fact]
    public async Task A_bad_last_event_id_is_400_and_named()
    {
        var (shopper, id) = await CancelledOrderAsync();
        foreach (var bad in new[] { "x", "0", "-1", "+1", "1.0", "1,1", "1 1", "0x1", "99", "99999999999999999999", "1' OR '1'='1", "01a2055e-20d9-76ac-b2d2-47ee76b48253", new string('1', 20_000) })
        {
            var answer = await shop.One.Http.SendAsync(shopper, HttpMethod.Get, $"/api/orders/{id}/stream", headers: [("Last-Event-ID", bad)]);

            Assert.True(answer.Status == HttpStatusCode.BadRequest, bad);
            Assert.Equal(["Last-Event-ID"], answer.Fields);
        }
    }

    /// <summary>An order that has ended, also in its history.</summary>
    private async Task<(string Shopper, Guid Id)> CancelledOrderAsync()
    {
        var shopper = NewShopper();
        var id = (await shop.One.Http.SubmitAsync(shopper)).Id;
        await using var stream = await OpenStream.OpenAsync(shop.One.Http, shopper, id);
        await shop.One.ProduceAsync(new StockRejected(id, [new("mug-blue", 2, 1)]));
        await stream.RestAsync();
        return (shopper, id);
    }

    internal static (string, string, string) Seen(Change? change) => change is null ? default : (change.Id, change.Type, change.Status);
}
