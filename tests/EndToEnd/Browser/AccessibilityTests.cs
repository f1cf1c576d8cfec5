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
        ("/control", "svg .node, svg g"), ("/control/orders", "table tbody tr"), ("/control/orders/{order}", "svg"), ("/control/stock", "table tbody tr"), ("/control/stock/mug-blue", "table tbody tr"),
        ("/control/sensors", "h1"), ("/control/payments", "#reviews-title"), ("/control/messages", "table tbody tr"), ("/control/activity", "canvas, svg"), ("/control/logs", "h1"), ("/control/faults", "fieldset"),
    ];

    /// <summary>Both looks and both sizes, which have rules of their own that do not meet.</summary>
    public static TheoryData<bool, bool> Looks => new() { { false, false }, { true, true } };

    [Theory, MemberData(nameof(Looks))]
    public Task The_store_is_for_everybody(bool dark, bool phone) => LookAtAsync("Ada", Store, dark, phone);

    [Theory, MemberData(nameof(Looks))]
    public Task The_control_room_is_for_everybody(bool dark, bool phone) => LookAtAsync("Olga", ControlRoom, dark, phone);

    private async Task LookAtAsync(string name, (string Path, string Shown)[] pages, bool dark, bool phone)
    {
        await using var visitor = await chromium.VisitAsync(shop, dark, phone);
        // what is asked for and is not there
        visitor.Expected = new("404");
        await visitor.SignInAsync(name);
        await visitor.ToCheckoutAsync("sticker-pack");
        await visitor.OrderAsync();
        await visitor.SeesStatusAsync("fulfilled");
        var order = visitor.OrderId.ToString();
        await visitor.ToCheckoutAsync("sticker-pack");

        foreach (var (path, shown) in pages)
        {
            await visitor.Page.GotoAsync(path.Replace("{order}", order, StringComparison.Ordinal));
            await Visitor.SeesAsync(visitor.Page.Locator(shown).First);
            var result = await visitor.Page.RunAxe(new AxeRunOptions());
            Assert.True(result.Violations.Length == 0, $"{path}:\n{string.Join('\n', result.Violations.SelectMany(violation =>
                violation.Nodes.Select(node => $"{violation.Id}: {violation.Help}: {node.Html[..Math.Min(300, node.Html.Length)]}")))}");
            var overflow = await visitor.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
            Assert.True(overflow <= 0, $"{path} is {overflow} px wider than the screen");
        }
    }
}
