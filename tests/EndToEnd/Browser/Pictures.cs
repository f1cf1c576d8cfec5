using System.Net.Http.Json;
using Microsoft.Playwright;
using Shop.Testing;

namespace Shop.EndToEnd.Browser;

/// <summary>
/// Takes the pictures that the documentation shows, of a shop in which something happens. No test of anything, so it runs only when it is asked for:
/// <c>./shop test -class '*Browser.Pictures' -explicit only</c>. Who has taken them looks at each of them.
/// </summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class Pictures(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    private static readonly string Docs = Path.Combine(Repository.Root, "docs");
    private static readonly string[] Skus = ["mug-blue", "shirt-striped", "hoodie-navy", "notebook-dotted", "pen-fountain", "tote-canvas", "socks-wool", "mug-red"];

    [Fact(Explicit = true)]
    public async Task OfTheStore()
    {
        await using var ada = await chromium.VisitAsync(shop);
        await ada.Page.GotoAsync("/sign-in");
        await TakeAsync(ada, ".person", "store-sign-in.png");
        await ada.SignInAsync("Ada");
        foreach (var sku in (string[])["mug-travel", "hoodie-navy"])
        {
            await ada.ToCheckoutAsync(sku);
            await ada.OrderAsync();
            await ada.SeesStatusAsync("fulfilled");
        }
        await ada.ToCheckoutAsync("lamp-desk");
        await ada.OrderAsync("tok_declined");
        await ada.SeesStatusAsync("cancelled");
        await ada.Page.GotoAsync("/");
        await TakeAsync(ada, ".card[data-sku]", "store.png");
        await ada.Page.GotoAsync("/products/poster-lighthouse");
        await TakeAsync(ada, "article.product h1", "store-product.png");
        await ada.ToCheckoutAsync("mug-blue", 2);
        await ada.ToCheckoutAsync("notebook-dotted");
        await TakeAsync(ada, "form.checkout .line", "store-checkout.png");
        await ada.Page.GotoAsync("/basket");
        await TakeAsync(ada, ".line", "store-basket.png");
        await ada.Page.GotoAsync("/checkout");
        await ada.OrderAsync();
        await ada.SeesStatusAsync("fulfilled");
        await TakeAsync(ada, ".step[data-state=done]", "store-order.png");
        await ada.Page.GotoAsync("/orders");
        await TakeAsync(ada, ".order-row:not(.skeleton)", "store-orders.png");
        await ada.LookAsync(dark: true, phone: true);
        await ada.Page.GotoAsync("/");
        await TakeAsync(ada, ".card[data-sku]", "store-phone-dark.png");
        await ada.LookAsync(dark: false, phone: false);
        await ada.Page.GotoAsync("/docs");
        await TakeAsync(ada, "h1", "api.png");
    }

    [Fact(Explicit = true)]
    public async Task OfTheControlRoom()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        var operation = await Shopper.LogInAsync(shop.Gateway, "olga", "operator");
        using var end = new CancellationTokenSource();
        var fleet = shop.RunAsync("devices", "--sensors", "24", "--minutes", "4", "--steal", "mug-blue:3", "--silence", "2", "--heat", "1", "--seed", "7");
        var shopping = GoShoppingAsync(end.Token);
        await HoldPaymentAsync();
        var ada = await Shopper.LogInAsync(shop.Gateway, "ada");
        var order = await ada.SubmitOrderAsync(Shopper.Order("hoodie-navy", street: "Picture Street 1"));

        await SeeAsync($"orders/{order}", ".step >> text=OrderFulfilled", "order", "order-dark");
        await SeeAsync("orders", "tbody tr", "orders");
        await SeeAsync("stock", "tbody tr", "stock");
        await SeeAsync("stock/mug-blue", "tbody tr", "product");
        using (var tried = await operation.SendAsync(HttpMethod.Put, "/api/ops/fraud/shadow", """{"holdAt":40}"""))
            Assert.True(tried.IsSuccessStatusCode, await tried.Content.ReadAsStringAsync());
        await SeeAsync("payments", ".review [data-decision=approve]", "payments");
        await SeeAsync("payments", "[data-label=Rule]", "rules", "rules-phone");
        await shop.PsqlAsync("inventory", "ALTER TABLE reservations ADD CONSTRAINT no_sevens CHECK (NOT lines @> '[{\"quantity\": 7}]') NOT VALID");
        var unlucky = await Shopper.LogInAsync(shop.Gateway, "unlucky");
        for (var i = 0; i < 3; i++)
            await unlucky.SubmitOrderAsync(Shopper.Order("socks-wool", 7, street: "Picture Street 7"));
        await SeeAsync("messages", ".cause tbody tr:nth-child(3)", "messages", "messages-phone");
        await shop.PsqlAsync("inventory", "ALTER TABLE reservations DROP CONSTRAINT no_sevens");
        await SeeAsync("logs", "tbody tr", "logs");
        await SeeAsync("activity", "canvas", "activity");
        await SeeAsync("faults", "fieldset", "faults");
        // a silence takes half a minute to be one
        await SeeAsync("sensors", "#main:has([data-status=alarm]):has([data-status=silent]) td >> text=stock discrepancy", "sensors");
        await SeeAsync("", ".feed-event:nth-child(20)", "now", "now-dark", "now-phone", "feed-phone");

        await end.CancelAsync();
        await shopping;
        Assert.Equal(0, (await fleet).ExitCode);

        async Task SeeAsync(string path, string shown, params string[] pictures)
        {
            await olga.Page.GotoAsync($"/control/{path}".TrimEnd('/'));
            foreach (var picture in pictures)
            {
                await olga.LookAsync(picture.Contains("dark", StringComparison.Ordinal), picture.Contains("phone", StringComparison.Ordinal));
                await TakeAsync(olga, shown, $"control/{picture}.png", from: picture.Split('-')[0] switch { "rules" => "#panel-rules-in-force", "feed" => "#panel-last-events", _ => null });
            }
            await olga.LookAsync(dark: false, phone: false);
        }
    }

    /// <summary>Waits until the page has what it shows, and takes what is on the screen.</summary>
    private static async Task TakeAsync(Visitor visitor, string shown, string name, string? from = null)
    {
        await Visitor.SeesAsync(visitor.Page.Locator(shown).First);
        // also what moves on its own, and where the page is at
        await visitor.Page.EvaluateAsync("from => from ? document.querySelector(from).closest('section').scrollIntoView() : scrollTo(0, 0)", from);
        await visitor.Page.ScreenshotAsync(new() { Path = Path.Combine(Docs, name), Animations = ScreenshotAnimations.Disabled });
    }

    /// <summary>Shoppers who look at this and that and order some of it, each in their own way, until they are told to end.</summary>
    private async Task GoShoppingAsync(CancellationToken end)
    {
        string[] ways = ["tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_declined"];
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        for (var i = 0; await pace.WaitForNextTickAsync(CancellationToken.None) && !end.IsCancellationRequested; i++)
        {
            var (shopper, sku) = (await Shopper.LogInAsync(shop.Gateway, $"shopper-{i % 40}"), Skus[i % Skus.Length]);
            using var seen = await shop.Gateway.PostAsJsonAsync("/api/activity", new[] { new { type = "ProductViewed", sku }, new { type = "ProductViewed", sku = Skus[i * 3 % Skus.Length] } }, CancellationToken.None);
            if (i % 2 == 0)
                await shopper.SubmitOrderAsync(Shopper.Order(sku, 1 + i % 3, ways[i % ways.Length], street: $"Picture Street {i % 40}"));
        }
    }

    /// <summary>Has somebody order faster than people do, until a payment waits for a decision.</summary>
    private async Task HoldPaymentAsync()
    {
        const int Hasty = 60;
        var linus = await Shopper.LogInAsync(shop.Gateway, "linus");
        var (order, status) = (Guid.Empty, "");
        for (var i = 0; i < Hasty && status != "inReview"; i++)
        {
            order = await linus.SubmitOrderAsync(Shopper.Order("pen-gel", street: "Mannerheimintie 10"));
            await Eventually.BecomesTrueAsync(async () => (status = await linus.StatusAsync(order)) is not ("submitted" or "reserved"));
        }
        Assert.Equal("inReview", status);
    }
}
