using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>What could not be handled, as the operator sees it and has it handled again once its cause is gone.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class DeadLetterTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    /// <summary>Fewer than a shopper may order in a while without being held.</summary>
    private const int Many = 12;

    [Fact]
    public async Task One_of_two_is_redriven_and_its_order_is_fulfilled_while_the_other_stays()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        var ada = await Shopper.LogInAsync(shop.Gateway, "dead-letter-ada");
        await RefuseAsync(7);
        var (first, second) = (await ada.SubmitOrderAsync(Shopper.Order("cap-green", 7)), await ada.SubmitOrderAsync(Shopper.Order("cap-green", 7)));
        await olga.Page.GotoAsync("/control/messages");
        var (cause, notice) = (Cause(olga), olga.Page.Locator(".notice.good"));
        await Visitor.SeesAsync(RowOf(first));
        await Visitor.SeesAsync(RowOf(second));
        await olga.MarkAsync();
        await AllowAsync(7);

        await RedriveAsync(first);

        await Visitor.SeesAsync(RowOf(first), visible: false);
        await ada.WaitForEndAsync(first, "fulfilled");
        await Visitor.SeesAsync(cause, "1, 0 parked behind", exact: false);
        Assert.Equal("submitted", await ada.StatusAsync(second));
        await RedriveAsync(second);
        await Visitor.SeesAsync(cause, visible: false);
        await olga.NeverReloadedAsync();
        await ada.WaitForEndAsync(second, "fulfilled");

        ILocator RowOf(Guid order) => cause.Locator("tr", new() { Has = olga.Page.Locator($"a[href='/control/orders/{order}']") });

        async Task RedriveAsync(Guid order)
        {
            await RowOf(order).GetByRole(AriaRole.Button, new() { Name = "Redrive" }).ClickAsync();
            await Visitor.SeesAsync(notice, $"Redriven: OrderSubmitted of {order}");
        }
    }

    [Fact]
    public async Task All_of_a_cause_are_redriven_and_how_far_that_is_is_seen()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        var grace = await Shopper.LogInAsync(shop.Gateway, "dead-letter-grace");
        await RefuseAsync(8);
        var orders = new List<Guid>();
        for (var i = 0; i < Many; i++)
            orders.Add(await grace.SubmitOrderAsync(Shopper.Order("sticker-pack", 8, street: "Letter Street 8")));
        await olga.Page.GotoAsync("/control/messages");
        var cause = Cause(olga);
        await Visitor.SeesAsync(cause, $"{Many}, 0 parked behind", exact: false);
        await olga.MarkAsync();
        await AllowAsync(8);
        // held until what the page shows meanwhile was seen
        var isSeen = new TaskCompletionSource();
        await olga.Page.RouteAsync("**/dead-letters/redrive", async route =>
        {
            await isSeen.Task;
            await route.ContinueAsync();
        });
        var asked = olga.Page.WaitForResponseAsync(new Regex("/dead-letters/redrives/"));

        await cause.GetByRole(AriaRole.Button, new() { Name = "Redrive all of this cause" }).ClickAsync();

        var progress = cause.GetByRole(AriaRole.Progressbar);
        await Expect(progress).ToHaveJSPropertyAsync("max", (double)Many);
        await Expect(progress).ToHaveJSPropertyAsync("value", 0d);
        await Visitor.SeesAsync(cause, $"0 of {Many} redriven, 0 failed again", exact: false);
        isSeen.SetResult();
        Assert.True((await asked).Ok);
        await Visitor.SeesAsync(olga.Page.Locator(".notice.good"), $"{Many} of {Many} redriven, 0 failed again.");
        await Visitor.SeesAsync(cause, visible: false);
        await olga.NeverReloadedAsync();
        foreach (var order in orders)
            await grace.WaitForEndAsync(order, "fulfilled");
    }

    private static ILocator Cause(Visitor olga) => olga.Page.Locator(".cause").Filter(new() { HasText = "inventory" });

    /// <summary>Has Inventory handle no order of so many pieces, as after a change of its database that does not fit its code.</summary>
    private Task RefuseAsync(int pieces) => shop.PsqlAsync("inventory", $$"""ALTER TABLE reservations ADD CONSTRAINT not_{{pieces}} CHECK (NOT lines @> '[{"quantity": {{pieces}}}]') NOT VALID""");

    private Task AllowAsync(int pieces) => shop.PsqlAsync("inventory", $"ALTER TABLE reservations DROP CONSTRAINT not_{pieces}");
}
