using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;

namespace Shop.EndToEnd.Browser;

/// <summary>Every page, light and dark, as axe-core sees it, on a laptop and on a phone; and no page complains in the console.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class AccessibilityTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    /// <summary>Addresses, each with what is there when the page has what it shows.</summary>
    private static readonly (string Path, string Shown)[] Store =
    [
        ("/", ".card"), ("/?q=nothing-is-called-so", ".state h1"), ("/products/mug-blue", "article.product"), ("/products/no-such", ".state h1"), ("/basket", ".line, .state"),
        ("/checkout", "form.checkout .line"), ("/orders", ".order-row:not(.skeleton)"), ("/orders/{order}", ".step[data-state=done]"), ("/orders/no-such", ".state h1"), ("/sign-in", ".person"),
    ];

    private static readonly (string Path, string Shown)[] ControlRoom =
    [
        ("/control/sensors", "[aria-labelledby=sensors-title] [data-status=alarm]"),
        ("/control", "svg .node, svg g"), ("/control?node=service:orders", ".chosen h2"), ("/control/orders", "table tbody tr"), ("/control/orders/{order}", "h1 code"),
        ("/control/stock", "table tbody tr"), ("/control/stock/mug-blue", "table tbody tr"),
        ("/control/payments", ".review [data-decision=approve]"), ("/control/messages", ".cause details[open] tbody tr"), ("/control/activity", "canvas, svg"), ("/control/logs", "h1"),
        ("/control/faults", "fieldset"),
    ];

    /// <summary>Both sizes and, on a laptop, both looks: a phone's colours are the same.</summary>
    private static readonly (bool Dark, bool Phone)[] Looks = [(false, false), (true, false), (true, true)];

    /// <summary>All rules, and of what they have passed no list: making it takes longer than finding out.</summary>
    private static readonly AxeRunOptions Violations = new() { ResultTypes = [ResultType.Violations] };

    [Fact]
    public Task The_store_is_for_everybody() => LookAtAsync("Ada", Store, () => Task.CompletedTask);

    [Fact]
    public async Task The_control_room_is_for_everybody()
    {
        await using var thermometer = await Thermometer.RegisterAsync(shop.Gateway, "cold-store-looked-at");
        // the first page is the sensors': one that has said nothing for long is silent, whatever it said
        await LookAtAsync("Olga", ControlRoom, () => thermometer.SendAsync(11.5));
    }

    private async Task LookAtAsync(string name, (string Path, string Shown)[] pages, Func<Task> prepare)
    {
        await using var visitor = await chromium.VisitAsync(shop);
        // what is asked for and is not there
        visitor.Expected = new("404");
        await visitor.SignInAsync(name);
        await visitor.ToCheckoutAsync("sticker-pack");
        await visitor.OrderAsync();
        await visitor.SeesStatusAsync("fulfilled");
        var order = visitor.OrderId.ToString();
        await visitor.ToCheckoutAsync("sticker-pack");
        // what the pages are seldom without, and this shop seldom has
        await AnswerAsync(visitor, "**/api/ops/reviews?*", MadeUp.Review("1"));
        await AnswerAsync(visitor, "**/api/ops/inventory/dead-letters?*", MadeUp.DeadLetter(order));

        await prepare();
        foreach (var (path, shown) in pages)
        {
            await visitor.Page.GotoAsync(path.Replace("{order}", order, StringComparison.Ordinal));
            // a picture in the navigation is there before the page is
            await Visitor.SeesAsync(visitor.Page.Locator("h1").First);
            await Visitor.SeesAsync(visitor.Page.Locator(shown).First);
            foreach (var (dark, phone) in Looks)
            {
                await visitor.LookAsync(dark, phone);
                var look = $"{path}, {(dark ? "dark" : "light")}, on a {(phone ? "phone" : "laptop")}";
                var result = await visitor.Page.RunAxe(Violations);
                Assert.True(result.Violations.Length == 0, $"{look}:\n{string.Join('\n', result.Violations.SelectMany(violation =>
                    violation.Nodes.Select(node => $"{violation.Id}: {violation.Help}: {node.Html[..Math.Min(300, node.Html.Length)]}")))}");
                var overflow = await visitor.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
                Assert.True(overflow <= 0, $"{look} is {overflow} px wider than the screen");
            }
        }
    }

    private static Task AnswerAsync(Visitor visitor, string address, string item) =>
        visitor.Page.RouteAsync(address, route => route.FulfillAsync(new() { ContentType = "application/json", Body = $$"""{"items":[{{item}}],"next":null}""" }));
}
