using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>Somebody with a browser of their own. Whatever the page's scripts or the browser complain about fails the test.</summary>
public sealed partial class Visitor : IAsyncDisposable
{
    private const float Deadline = 120_000;
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    internal Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        context.SetDefaultTimeout(Deadline);
        // assertions have one of their own, of 5 s
        SetDefaultExpectTimeout(Deadline);
        page.Console += (_, message) => Note(message.Type is "error" or "warning", $"{message.Text} ({message.Location})");
        page.PageError += (_, error) => Note(true, error);
    }

    /// <summary>What is complained about and expected, such as an answer that a killed service does not give.</summary>
    public Regex? Expected { get; set; }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>The order that is shown.</summary>
    public Guid OrderId => Guid.Parse(Page.Url.Split('/', '#', '?').First(part => Guid.TryParse(part, out _)));

    /// <summary>Signs in as one of the people whom the sign-in page offers.</summary>
    public async Task SignInAsync(string name)
    {
        await Page.GotoAsync("/sign-in");
        await Page.GetByRole(AriaRole.Button, new() { Name = name }).ClickAsync();
        await SeesAsync(Page.Locator("#account .who"), name, exact: false);
    }

    /// <summary>Looks at the page that is there in the dark or not, on a phone or not.</summary>
    public async Task LookAsync(bool dark, bool phone)
    {
        await Page.EmulateMediaAsync(new() { ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light });
        var screen = Chromium.ScreenOf(phone);
        await Page.SetViewportSizeAsync(screen.Width, screen.Height);
    }

    /// <summary>Puts a product into the basket and goes to the check-out.</summary>
    public async Task ToCheckoutAsync(string sku, int quantity = 1)
    {
        await Page.GotoAsync($"/products/{sku}");
        if (quantity > 1)
            await Page.GetByRole(AriaRole.Spinbutton).FillAsync($"{quantity}");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Add to basket" }).ClickAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "To the basket" }).ClickAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "Check out" }).ClickAsync();
    }

    /// <summary>Orders what is in the basket, and waits for the order's page.</summary>
    public async Task OrderAsync(string wayToPay = "tok_visa")
    {
        await Page.Locator($"input[name=token][value={wayToPay}]").CheckAsync();
        await Page.GetByRole(AriaRole.Button, new() { NameRegex = OrderFor() }).ClickAsync();
        // not WaitForURLAsync, which never ends where the page gets there between its look at the address and its wait for the next
        await Expect(Page).ToHaveURLAsync(OrderAddress());
    }

    /// <summary>Waits until the order's page says that the order is at a status, in the store's words.</summary>
    public Task SeesStatusAsync(string status) => SeesAsync(Page.Locator("h1 .status"), status);

    /// <summary>Waits until an element has a text.</summary>
    public static Task SeesAsync(ILocator element, string text, bool exact = true) => exact
        ? Expect(element).ToHaveTextAsync(text)
        : Expect(element).ToContainTextAsync(text, new() { IgnoreCase = true });

    /// <summary>Waits until an element is there to be seen, or no longer.</summary>
    public static Task SeesAsync(ILocator element, bool visible = true) => Expect(element).ToBeVisibleAsync(new() { Visible = visible });

    /// <summary>Notes something in the page that a reload would lose.</summary>
    public Task MarkAsync() => Page.EvaluateAsync("() => { window.neverReloaded = true; }");

    /// <summary>Whether the page is still the one that was marked.</summary>
    public async Task NeverReloadedAsync() => Assert.True(await Page.EvaluateAsync<bool>("() => window.neverReloaded === true"), "the page was loaded again");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.True(_complaints.IsEmpty, string.Join('\n', _complaints));
    }

    private void Note(bool isComplaint, string text)
    {
        if (isComplaint && Expected?.IsMatch(text) != true)
            _complaints.Enqueue(text);
    }

    [GeneratedRegex("^Order for ")]
    private static partial Regex OrderFor();

    [GeneratedRegex("/orders/[0-9a-f-]{36}")]
    private static partial Regex OrderAddress();
}
