using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Shop.Testing;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>The control room as the operator uses it, in a browser, beside shoppers in theirs.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class ControlRoomTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    /// <summary>Orders of one shopper within minutes: by far enough to be suspicious.</summary>
    private const int Hasty = 60;

    [Fact]
    public async Task A_payment_that_is_held_is_approved_by_the_operator_and_its_shopper_sees_the_order_go_on()
    {
        await using var linus = await chromium.VisitAsync(shop);
        await using var olga = await chromium.VisitAsync(shop);
        await linus.SignInAsync("Linus");
        await olga.SignInAsync("Olga");
        await olga.Page.GotoAsync("/control/payments");
        var hasty = await Shopper.LogInAsync(shop.Gateway, "linus");
        // one after the other from the same browser, until the first is held: many more, and they are declined
        var (order, status) = (Guid.Empty, "");
        for (var i = 0; i < Hasty && status != "inReview"; i++)
        {
            order = Guid.Parse(await linus.Page.EvaluateAsync<string>(
                "async body => (await (await import('/shared/api.js')).submitOrder(JSON.parse(body), crypto.randomUUID())).id", Shopper.Order("pen-gel", street: "Mannerheimintie 10")));
            await Eventually.BecomesTrueAsync(async () => (status = await hasty.StatusAsync(order)) is not ("submitted" or "reserved"));
        }
        await linus.Page.GotoAsync($"/orders/{order}");
        await linus.SeesStatusAsync("in review");
        await linus.MarkAsync();
        await olga.MarkAsync();

        // the first one is chosen; the shopper's is looked for among the others
        await Eventually.BecomesTrueAsync(async () =>
        {
            foreach (var row in await olga.Page.Locator(".review-row").AllAsync())
            {
                await row.ClickAsync();
                if (await olga.Page.Locator($".review a[href*='{order}']").CountAsync() > 0)
                    return true;
            }
            return false;
        });
        await Visitor.SeesAsync(olga.Page.Locator(".rules li").First);
        // what is pressed as soon as a payment is chosen is not taken for meant
        await Eventually.BecomesTrueAsync(async () =>
        {
            await olga.Page.Keyboard.PressAsync("a");
            return await olga.Page.Locator(".notice.good").CountAsync() > 0;
        });

        await Visitor.SeesAsync(olga.Page.Locator(".notice.good"), "Approved", exact: false);
        await linus.SeesStatusAsync("fulfilled");
        await linus.NeverReloadedAsync();
        await olga.NeverReloadedAsync();
    }

    [Fact]
    public async Task Only_the_payment_that_was_looked_at_is_decided_whatever_is_held_meanwhile_and_however_often_it_is_pressed()
    {
        var (held, decided) = (new ConcurrentQueue<string>(["1", "2", "3"]), new ConcurrentQueue<string>());
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        await olga.Page.RouteAsync("**/api/ops/reviews?*", route => route.FulfillAsync(new()
        {
            ContentType = "application/json",
            Body = $$"""{"items":[{{string.Join(',', held.Except(decided).Select(MadeUp.Review))}}],"next":null}""",
        }));
        await olga.Page.RouteAsync("**/api/ops/reviews/*", route =>
        {
            decided.Enqueue(route.Request.Url.Split('/')[^1]);
            return route.FulfillAsync(new() { ContentType = "application/json", Body = "{}" });
        });
        await olga.Page.GotoAsync("/control/payments");
        var note = olga.Page.GetByLabel("Note");
        await Visitor.SeesAsync(olga.Page.Locator(".review-amount"), "€1.00");
        await note.FillAsync("known to u");
        held.Enqueue("4");
        await Expect(olga.Page.Locator(".review-row")).ToHaveCountAsync(4);
        await olga.Page.Keyboard.PressAsync("s");
        await Expect(note).ToHaveValueAsync("known to us");
        await Expect(note).ToBeFocusedAsync();

        await LookedAtAsync(olga);
        await olga.Page.Locator("[data-decision=approve]").DblClickAsync();
        await Visitor.SeesAsync(olga.Page.Locator(".review"), "Choose a payment to decide.");
        Assert.Equal(["1"], decided);

        // a key that is held down is not meant for the payment that is chosen meanwhile
        await olga.Page.Locator(".reviews").PressAsync("j");
        await Visitor.SeesAsync(olga.Page.Locator(".review-amount"), "€2.00");
        await LookedAtAsync(olga);
        await olga.Page.EvaluateAsync("() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', repeat: true, bubbles: true }))");
        await olga.Page.Keyboard.PressAsync("r");
        await Visitor.SeesAsync(olga.Page.Locator(".notice.good"), "Rejected", exact: false);
        await olga.Page.Keyboard.PressAsync("r");
        Assert.Equal(["1", "2"], decided);

        await olga.Page.Keyboard.PressAsync("j");
        await Visitor.SeesAsync(olga.Page.Locator(".review-amount"), "€3.00");
        held = new(["4"]);
        await Visitor.SeesAsync(olga.Page.Locator(".review"), "decided elsewhere", exact: false);
        await LookedAtAsync(olga);
        await olga.Page.Keyboard.PressAsync("a");
        Assert.Equal(["1", "2"], decided);

        // for as long as it takes until what is pressed is taken for meant
        static Task LookedAtAsync(Visitor olga) => olga.Page.EvaluateAsync("() => new Promise(resolve => setTimeout(resolve, 800))");
    }

    [Fact]
    public async Task A_rebuild_is_watched_until_it_is_done()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        await olga.Page.GotoAsync("/control/activity");
        await olga.MarkAsync();
        await olga.Page.GetByRole(AriaRole.Button, new() { Name = "Rebuild the feed" }).ClickAsync();

        await Visitor.SeesAsync(olga.Page.GetByText(new Regex("^done: ")));
        await olga.NeverReloadedAsync();
    }

    [Fact]
    public async Task A_fault_is_switched_on_and_felt_and_switched_off()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        await olga.Page.GotoAsync("/control/faults");
        try
        {
            await SwitchAsync("3 s");
            await Visitor.SeesAsync(olga.Page.Locator(".notice.warn"), "On: every authorisation takes 3 s at least.");
            var ada = await Shopper.LogInAsync(shop.Gateway, "slow-ada");
            var watch = Stopwatch.StartNew();
            var order = await ada.SubmitOrderAsync(Shopper.Order("cap-green", street: "Slow Street 1"));
            await ada.WaitForEndAsync(order, "fulfilled");
            Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(3), $"fulfilled after {watch.Elapsed}");
        }
        finally
        {
            await SwitchAsync("as quick as the token says");
            await Visitor.SeesAsync(olga.Page.Locator(".notice.good"), "Off", exact: false);
        }

        Task SwitchAsync(string pace) => olga.Page.GetByRole(AriaRole.Button, new() { Name = pace, Exact = true }).ClickAsync();
    }

    [Fact]
    public async Task A_service_that_is_killed_is_said_to_be_away_and_the_pages_go_on_without_a_reload()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await using var ada = await chromium.VisitAsync(shop);
        olga.Expected = ada.Expected = new("50[234]|ERR_");
        await olga.SignInAsync("Olga");
        await olga.Page.GotoAsync("/control");
        await ada.SignInAsync("Ada");
        await ada.ToCheckoutAsync("mug-blue");
        await using (await SlowBank.OpenAsync(shop.Gateway))
        {
            await ada.OrderAsync("tok_slow");
            await Visitor.SeesAsync(ada.Page.Locator(".live[data-state=live]"));
            await olga.MarkAsync();
            await ada.MarkAsync();

            using var process = Process.GetProcessById((await PartAsync("orders")).Pid!.Value);
            process.Kill();

            await Visitor.SeesAsync(olga.Page.Locator(".notice").Filter(new() { HasText = "orders" }));
        }
        await Eventually.BecomesAsync("healthy", async () => (await PartAsync("orders")).State);
        await Visitor.SeesAsync(olga.Page.Locator(".notice").Filter(new() { HasText = "orders" }), visible: false);
        await ada.SeesStatusAsync("fulfilled");
        await olga.NeverReloadedAsync();
        await ada.NeverReloadedAsync();
    }

    [Fact]
    public async Task It_is_closed_to_shoppers_and_says_how_to_get_in()
    {
        await using var grace = await chromium.VisitAsync(shop);
        await grace.SignInAsync("Grace");
        await grace.Page.GotoAsync("/control/payments");

        await Visitor.SeesAsync(grace.Page.GetByRole(AriaRole.Heading, new() { Name = "The control room is for operators" }));
        await Expect(grace.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in as the operator" })).ToHaveAttributeAsync("href", "/sign-in?return=%2Fcontrol%2Fpayments");
    }

    private async Task<Part> PartAsync(string name) => (await shop.PartsAsync()).Single(part => part.Name == name);
}
