using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

[Collection(nameof(EmbeddedKafkaShop))]
public sealed class OrdersOnEmbeddedKafka(ShopOnEmbeddedKafka shop) : OrderTests(shop);

[Collection(nameof(ApacheKafkaShop))]
public sealed class OrdersOnApacheKafka(ShopOnApacheKafka shop) : OrderTests(shop);

/// <summary>What a shopper sees of a running shop.</summary>
public abstract class OrderTests
{
    private readonly ShopUnderTest _shop;

    protected OrderTests(ShopUnderTest shop)
    {
        Assert.SkipWhen(shop.NotAvailable is not null, shop.NotAvailable ?? "");
        _shop = shop;
    }

    [Fact]
    public async Task An_order_is_fulfilled_and_its_timeline_tells_how()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var before = await StockAsync("shirt-white");

        var id = await ada.SubmitOrderAsync(Shopper.Order("shirt-white", 2));

        var order = await ada.WaitForEndAsync(id, "fulfilled");
        Assert.Equal(2, order.GetProperty("lines")[0].GetProperty("quantity").GetInt32());
        var events = await ada.TimelineAsync(id, Shopper.FulfilledLife);
        Assert.Equal(["order-submitted", "stock-reserved", "payment-requested", "payment-authorized", "order-confirmed"], events.Take(5).Select(e => e.ShortType));
        Assert.Equal(["payment-captured", "stock-dispatched"], events.Skip(5).Take(2).Select(e => e.ShortType).Order());
        Assert.Equal("order-fulfilled", events[7].ShortType);
        Assert.Equal(8, events.Count);
        Assert.All(events, e => Assert.True(e.Partition >= 0 && e.Offset >= 0 && e.Id != Guid.Empty && e.Type.StartsWith($"shop.{e.Topic}.", StringComparison.Ordinal)));
        Assert.Null(events[0].CausationId);
        // every later event was caused by an earlier one of the same order
        for (var i = 1; i < events.Count; i++)
            Assert.Contains(events.Take(i), cause => cause.Id == events[i].CausationId);
        var after = await StockAsync("shirt-white");
        Assert.Equal((before.OnHand - 2, before.Dispatched + 2), (after.OnHand, after.Dispatched));
        Assert.Equal(["authorized", "captured"], (await LedgerOfAsync(id)).Select(entry => entry.Kind));
    }

    [Fact]
    public async Task More_than_is_in_stock_is_cancelled_with_the_reason_and_the_stock_stays()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var scarce = (await CatalogAsync()).Where(product => product.Available < 1000).MinBy(product => product.Available);
        var before = await StockAsync(scarce.Sku);

        var id = await ada.SubmitOrderAsync(Shopper.Order(scarce.Sku, scarce.Available + 1));

        var order = await ada.WaitForEndAsync(id, "cancelled");
        Assert.Contains(scarce.Sku, order.GetProperty("reason").GetString());
        Assert.Equal(before, await StockAsync(scarce.Sku));
        Assert.Empty(await LedgerOfAsync(id));
    }

    [Fact]
    public async Task A_declined_payment_cancels_the_order_and_releases_its_stock()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var before = await StockAsync("mug-red");

        var id = await ada.SubmitOrderAsync(Shopper.Order("mug-red", 3, "tok_declined"));

        await ada.WaitForEndAsync(id, "cancelled");
        await ada.TimelineAsync(id, "payment-declined", "order-cancelled", "stock-released");
        await Eventually.BecomesAsync(before, () => StockAsync("mug-red"));
        Assert.DoesNotContain(await LedgerOfAsync(id), entry => entry.Kind == "captured");
    }

    [Fact]
    public async Task A_repair_is_answered_by_everybody_and_changes_nothing_that_is_right()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var olga = await Shopper.LogInAsync(_shop.Gateway, "olga", "operator");
        var before = await StockAsync("mug-red");
        var id = await ada.SubmitOrderAsync(Shopper.Order("mug-red", 3, "tok_declined"));
        await ada.WaitForEndAsync(id, "cancelled");
        await ada.TimelineAsync(id, "payment-declined", "order-cancelled", "stock-released");

        using var refused = await ada.SendAsync(HttpMethod.Post, $"/api/ops/orders/{id}/repair");
        using var accepted = await olga.SendAsync(HttpMethod.Post, $"/api/ops/orders/{id}/repair");

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Accepted), (refused.StatusCode, accepted.StatusCode));
        var types = (await ada.TimelineAsync(id, "payment-declined", "order-cancelled", "order-cancelled", "stock-released", "stock-released")).Select(e => e.ShortType).ToList();
        Assert.Equal((2, 2), (types.Count(type => type == "order-cancelled"), types.Count(type => type == "stock-released")));
        Assert.Single(types, "payment-declined");
        Assert.Equal(before, await StockAsync("mug-red"));
        Assert.Equal(["declined"], (await LedgerOfAsync(id)).Select(entry => entry.Kind));
    }

    [Theory, InlineData("tok_slow"), InlineData("tok_flaky")]
    public async Task A_provider_that_is_slow_or_fails_at_first_is_paid_once(string token)
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");

        var id = await ada.SubmitOrderAsync(Shopper.Order(token: token));

        await ada.WaitForEndAsync(id, "fulfilled");
        Assert.Single(await LedgerOfAsync(id), entry => entry.Kind == "captured");
    }

    [Fact]
    public async Task The_same_key_is_the_same_order_and_another_body_under_it_is_refused()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var key = Guid.CreateVersion7().ToString();

        var first = await ada.SubmitOrderAsync(Shopper.Order(), key);
        var second = await ada.SubmitOrderAsync(Shopper.Order(), key);
        using var other = await ada.SubmitAsync(Shopper.Order(quantity: 2), key);

        Assert.Equal(first, second);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
    }

    [Fact]
    public async Task Without_a_token_nothing_and_anothers_order_is_not_found()
    {
        using var anonymous = await _shop.Gateway.GetAsync("/api/orders");
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var mallory = await Shopper.LogInAsync(_shop.Gateway, "mallory");
        var id = await ada.SubmitOrderAsync(Shopper.Order());
        await ada.TimelineAsync(id, "order-submitted");

        foreach (var path in new[] { $"/api/orders/{id}", $"/api/orders/{id}/timeline" })
        {
            using var response = await mallory.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
        using var cancel = await mallory.SendAsync(HttpMethod.Post, $"/api/orders/{id}/cancel");
        Assert.Equal(HttpStatusCode.NotFound, cancel.StatusCode);
    }

    [Fact]
    public async Task Bad_input_gets_a_4xx_that_names_the_field_and_writes_nothing()
    {
        var bob = await Shopper.LogInAsync(_shop.Gateway, "bob");
        foreach (var (body, field) in new (string, string)[]
        {
            (Shopper.Order("no-such-sku"), "lines[0].sku"),
            (Shopper.Order(quantity: 0), "lines[0].quantity"),
            (Shopper.Order(quantity: -1), "lines[0].quantity"),
            (Shopper.Order(quantity: 1_000_000_000), "lines[0].quantity"),
            (Shopper.Order(quantity: 1_000_000_000_000), "lines[0].quantity"),
            (Shopper.Order().Replace("[{\"sku\":\"mug-blue\",\"quantity\":1}]", "[]", StringComparison.Ordinal), "lines"),
            ("{\"lines\":", "body"),
            (new string(' ', 10 * 1024 * 1024) + Shopper.Order(), "body"),
        })
        {
            using var response = await bob.SubmitAsync(body);
            var text = await response.Content.ReadAsStringAsync();
            Assert.True((int)response.StatusCode is >= 400 and < 500, $"{response.StatusCode} for {field}");
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            var errors = JsonDocument.Parse(text).RootElement.GetProperty("errors").EnumerateObject().Select(error => error.Name).ToList();
            Assert.True(errors.Exists(name => name.StartsWith(field, StringComparison.Ordinal)) || field == "body" && errors.Count > 0, $"{field} is not named in {text}");
        }
        Assert.Empty((await bob.GetAsync("/api/orders")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task The_topics_are_plain_JSON_with_CloudEvents_headers_for_any_client()
    {
        var ada = await Shopper.LogInAsync(_shop.Gateway, "ada");
        var id = await ada.SubmitOrderAsync(Shopper.Order());
        await ada.WaitForEndAsync(id, "fulfilled");
        var kafka = new Uri((await _shop.PartsAsync()).Single(part => part.Name == "kafka").Url!);

        var lines = new List<string>();
        foreach (var topic in new[] { "orders", "reservations", "payments" })
            lines.AddRange(await KcatAsync("-b", kafka.Authority, "-C", "-t", topic, "-e", "-q", "-f", "%k\t%h\t%s\n"));

        var events = lines.Select(line => line.Split('\t')).Where(columns => columns[0] == id.ToString()).ToList();
        Assert.True(events.Count >= 7, $"{events.Count} events of the order");
        foreach (var columns in events)
        {
            var headers = columns[1].Split(',').Select(header => header.Split('=', 2)).ToDictionary(header => header[0], header => header[1]);
            Assert.Equal(("1.0", id.ToString()), (headers["ce_specversion"], headers["ce_subject"]));
            Assert.Matches(@"^shop\.(orders|reservations|payments)\.[a-z-]+\.v1$", headers["ce_type"]);
            Assert.True(Guid.TryParse(headers["ce_id"], out _) && DateTimeOffset.TryParse(headers["ce_time"], out _) && headers.ContainsKey("ce_source"));
            Assert.Equal(id, JsonDocument.Parse(columns[2]).RootElement.GetProperty("orderId").GetGuid());
        }
    }

    [Fact]
    public async Task The_status_shows_every_part_healthy()
    {
        IReadOnlyList<Part> parts = [];
        // a part that is asked when it is too busy to answer counts as unhealthy until it is asked again
        await Eventually.BecomesAsync("", async () =>
            string.Join(", ", (parts = await _shop.PartsAsync()).Where(part => part.State != "healthy").Select(part => $"{part.Name} is {part.State}")));

        Assert.Superset(new HashSet<string> { "postgres", "kafka", "payment-provider", "orders", "inventory", "payments", "activity", "gateway" },
            parts.Select(part => part.Name).ToHashSet());
    }

    private static async Task<string[]> KcatAsync(params string[] arguments)
    {
        using var kcat = StartKcat(arguments);
        var output = await kcat.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await kcat.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kcat.ExitCode);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Process StartKcat(string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("kcat", arguments) { RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("kcat is not installed");
            throw;
        }
    }

    private async Task<IReadOnlyList<LedgerEntry>> LedgerOfAsync(Guid order) =>
        [.. (await _shop.LedgerAsync()).Where(entry => entry.Reference == order.ToString())];

    private async Task<StockLevel> StockAsync(string sku) => (await _shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{sku}"))!;

    private async Task<IReadOnlyList<(string Sku, int Available)>> CatalogAsync() =>
        [.. (await _shop.Gateway.GetFromJsonAsync<JsonElement>("/api/catalog?limit=100")).GetProperty("items").EnumerateArray()
            .Select(item => (item.GetProperty("sku").GetString()!, item.GetProperty("available").GetInt32()))];
}
