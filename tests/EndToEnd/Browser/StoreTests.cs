using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>The store as its shoppers use it, in a browser.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed partial class StoreTests(ShopOnEmbeddedKafka shop, Chromium chromium, ITestOutputHelper output)
{
    /// <summary>Bytes over the wire that a first view may take.</summary>
    private const int FirstView = 100 * 1024;

    [Fact]
    public async Task A_shopper_comes_from_the_front_page_to_a_fulfilled_order_and_sees_it_move()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.Page.GotoAsync("/");
        await grace.Page.GetByRole(AriaRole.Searchbox).FillAsync("blue");
        await Visitor.SeesAsync(grace.Page.GetByRole(AriaRole.Heading, new() { Name = "“blue”" }));
        await grace.Page.Locator(".card[data-sku=mug-blue] .card-link").ClickAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Add to basket" }).ClickAsync();
        await grace.Page.GetByRole(AriaRole.Link, new() { Name = "To the basket" }).ClickAsync();
        await grace.Page.GetByRole(AriaRole.Link, new() { Name = "Check out" }).ClickAsync();
        await grace.MarkAsync();

        var steps = grace.Page.GetByRole(AriaRole.List, new() { Name = "Steps of the order" });
        await using (await SlowBank.OpenAsync(shop.Gateway))
        {
            await grace.OrderAsync("tok_slow");
            await Visitor.SeesAsync(steps.Locator("[data-state=next]"));
        }
        await grace.SeesStatusAsync("fulfilled");
        foreach (var step in (string[])["Submitted", "Stock reserved", "Payment authorised", "Confirmed", "On its way", "Paid", "Fulfilled"])
            await Visitor.SeesAsync(steps.Locator("[data-state=done]").Filter(new() { HasText = step }).First);
        await grace.NeverReloadedAsync();
        var order = grace.OrderId;
        await grace.Page.GetByRole(AriaRole.Link, new() { Name = "All orders" }).ClickAsync();
        await Visitor.SeesAsync(grace.Page.Locator($"a[href='/orders/{order}']"));
    }

    [Fact]
    public async Task More_than_is_left_is_said_at_its_line_and_can_be_put_right_with_one_press()
    {
        var scarce = (await shop.Gateway.GetFromJsonAsync<JsonElement>("/api/catalog?limit=100")).GetProperty("items").EnumerateArray()
            .Where(item => item.GetProperty("available").GetInt32() is > 1 and < 900).MinBy(item => item.GetProperty("available").GetInt32());
        var (sku, available) = (scarce.GetProperty("sku").GetString()!, scarce.GetProperty("available").GetInt32());
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync(sku, available);
        var line = grace.Page.Locator($".line[data-sku={sku}]");
        await line.GetByRole(AriaRole.Button, new() { NameRegex = More() }).ClickAsync();

        await Visitor.SeesAsync(line.Locator(".field-error"), $"Only {available} are left.", exact: false);
        await line.GetByRole(AriaRole.Button, new() { Name = $"Take {available}" }).ClickAsync();
        await Expect(line.GetByRole(AriaRole.Spinbutton)).ToHaveValueAsync($"{available}");
        await Visitor.SeesAsync(line.Locator(".field-error"), visible: false);
    }

    [Fact]
    public async Task What_sells_out_meanwhile_cancels_the_order_and_says_so_at_its_line()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync("poster-metro");
        var olga = await Shopper.LogInAsync(shop.Gateway, "olga", "operator");
        var before = await shop.Gateway.GetFromJsonAsync<StockLevel>("/api/stock/poster-metro");
        await CorrectAsync(olga, "poster-metro", 0);
        try
        {
            await grace.OrderAsync();

            await grace.SeesStatusAsync("cancelled");
            await Visitor.SeesAsync(grace.Page.Locator(".line[class] .field-error").First, "sold out", exact: false);
            await Visitor.SeesAsync(grace.Page.Locator(".notice.bad"), "You pay nothing", exact: false);
        }
        finally
        {
            await CorrectAsync(olga, "poster-metro", before!.OnHand);
        }
    }

    [Fact]
    public async Task A_declined_payment_is_said_in_words_and_the_stock_is_seen_to_go_back()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync("mug-blue");

        await grace.OrderAsync("tok_declined");

        await grace.SeesStatusAsync("cancelled");
        await Visitor.SeesAsync(grace.Page.Locator(".notice.bad"), "the bank refused the card", exact: false);
        await Visitor.SeesAsync(grace.Page.Locator(".step").Filter(new() { HasText = "Stock given back" }));
    }

    [Fact]
    public async Task An_order_is_cancelled_while_the_bank_is_slow()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync("mug-blue");
        await using var bank = await SlowBank.OpenAsync(shop.Gateway);
        await grace.OrderAsync("tok_slow");

        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the order" }).ClickAsync();

        await grace.SeesStatusAsync("cancelled");
        await Visitor.SeesAsync(grace.Page.Locator(".notice.bad"), "You cancelled it", exact: false);
    }

    [Fact]
    public async Task An_order_that_is_taken_after_its_page_was_left_takes_out_of_the_basket_what_was_ordered_and_no_more()
    {
        var isLeft = new TaskCompletionSource();
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync("mug-blue", 2);
        await grace.Page.RouteAsync("**/api/orders", async route =>
        {
            await isLeft.Task;
            await route.FulfillAsync(new() { Status = 202, ContentType = "application/json", Body = """{"id":"0199c7a2-0000-7000-8000-000000000000"}""" });
        });
        await grace.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Order for ") }).ClickAsync();
        await Visitor.SeesAsync(grace.Page.GetByRole(AriaRole.Button, new() { Name = "Ordering…" }));
        await grace.Page.Locator(".brand").ClickAsync();
        foreach (var sku in (string[])["mug-blue", "sticker-pack"])
            await grace.Page.Locator($".card[data-sku={sku}] .add").ClickAsync();

        isLeft.SetResult();

        await Visitor.SeesAsync(grace.Page.Locator("#basket-link .count"), "2");
        await Expect(grace.Page).ToHaveURLAsync(new Regex("/$"));
        await Visitor.SeesAsync(grace.Page.Locator(".card").First);
        await grace.Page.Locator("#basket-link").ClickAsync();
        foreach (var sku in (string[])["mug-blue", "sticker-pack"])
            await Expect(grace.Page.Locator($".line[data-sku={sku}]").GetByRole(AriaRole.Spinbutton)).ToHaveValueAsync("1");
    }

    [Fact]
    public async Task What_is_wrong_with_no_input_is_said_where_it_is_seen()
    {
        await using var grace = await chromium.VisitAsync(shop, phone: true);
        grace.Expected = new("400");
        await grace.SignInAsync("Grace");
        await grace.ToCheckoutAsync("mug-blue");
        await grace.Page.RouteAsync("**/api/orders", route => route.FulfillAsync(new()
        {
            Status = 400,
            ContentType = "application/problem+json",
            Body = """{"status":400,"title":"Wrong","errors":{"lines":["There are too many of them."]}}""",
        }));

        await grace.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Order for ") }).ClickAsync();

        var said = grace.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "There are too many of them." });
        await Visitor.SeesAsync(said);
        await Expect(said).ToBeInViewportAsync();
        await Expect(said).ToBeFocusedAsync();
    }

    [Fact]
    public async Task The_whole_way_is_gone_by_keyboard_alone()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.Page.GotoAsync("/sign-in?return=%2Fproducts%2Fmug-blue");
        await PressAsync(grace.Page, "Grace");
        await PressAsync(grace.Page, "Add to basket");
        await PressAsync(grace.Page, "To the basket");
        await PressAsync(grace.Page, "Check out");
        await PressAsync(grace.Page, "Order for");

        await grace.SeesStatusAsync("fulfilled");
    }

    [Fact]
    public async Task That_a_product_is_looked_at_is_told_to_the_shop()
    {
        await using var visitor = await chromium.VisitAsync(shop);

        var answer = await visitor.Page.RunAndWaitForResponseAsync(() => visitor.Page.GotoAsync("/products/mug-blue"), response =>
            response.Request.Method == "POST" && new Uri(response.Url).AbsolutePath == "/api/activity");

        Assert.Equal(202, answer.Status);
        Assert.Equal("""[{"type":"ProductViewed","sku":"mug-blue"}]""", answer.Request.PostData);
    }

    [Fact]
    public async Task The_first_view_is_light_and_signing_out_ends_it()
    {
        await using var grace = await chromium.VisitAsync(shop);
        var responses = new List<IResponse>();
        grace.Page.Response += (_, response) => responses.Add(response);
        // the browser's own measure is of text and images; the products are drawings
        await grace.Page.AddInitScriptAsync("""
            new MutationObserver((_, observer) => {
              if (document.querySelector('.card[data-sku]')) {
                observer.disconnect();
                requestAnimationFrame(() => setTimeout(() => window.productsAt = performance.now()));
              }
            }).observe(document, { childList: true, subtree: true });
            """);
        await grace.Page.GotoAsync("/", new() { WaitUntil = WaitUntilState.NetworkIdle });
        await Visitor.SeesAsync(grace.Page.Locator(".card").First);
        var sizes = await Task.WhenAll(responses.Select(async response => (await response.Request.SizesAsync()) is var size ? size.ResponseBodySize + size.ResponseHeadersSize : 0));
        Assert.InRange(sizes.Sum(), 1, FirstView);
        // figures, and no assertion: they are the machine's as much as the page's
        var paint = await grace.Page.EvaluateAsync<double>("""
            () => new Promise(resolve => new PerformanceObserver(list => resolve(list.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true }))
            """);
        var products = await grace.Page.EvaluateAsync<double>("() => window.productsAt");
        output.WriteLine($"first view: {sizes.Sum() / 1024.0:0.0} KiB, largest contentful paint after {paint:0} ms, products after {products:0} ms");

        await grace.SignInAsync("Grace");
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Visitor.SeesAsync(grace.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).First);
        await grace.Page.GotoAsync("/orders");
        await Visitor.SeesAsync(grace.Page.GetByRole(AriaRole.Heading, new() { Name = "Who are you?" }));
    }

    /// <summary>Goes on with the tab key until what has the focus is called so, and presses it.</summary>
    private static async Task PressAsync(IPage page, string name)
    {
        await Visitor.SeesAsync(page.Locator("button, a").Filter(new() { HasText = name }).First);
        for (var i = 0; i < 200; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if ((await page.EvaluateAsync<string>("() => document.activeElement.textContent.trim()")).StartsWith(name, StringComparison.Ordinal)
                || (await page.EvaluateAsync<string>("() => document.activeElement.querySelector('strong')?.textContent ?? ''")) == name)
            {
                await page.Keyboard.PressAsync("Enter");
                return;
            }
        }
        Assert.Fail($"'{name}' is not reached by the keyboard");
    }

    [GeneratedRegex("^One .* more$")]
    private static partial Regex More();

    private static async Task CorrectAsync(Shopper olga, string sku, int onHand)
    {
        using var answer = await olga.SendAsync(HttpMethod.Post, $"/api/ops/stock/{sku}/corrections", $$"""{"onHand":{{onHand}},"reason":"stock-taking"}""", Guid.CreateVersion7().ToString());
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
