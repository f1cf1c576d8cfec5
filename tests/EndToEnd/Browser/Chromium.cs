using Microsoft.Playwright;
using Shop.AppHost.Running;

[assembly: AssemblyFixture(typeof(Shop.EndToEnd.Browser.Chromium))]

namespace Shop.EndToEnd.Browser;

/// <summary>The system's own Chromium, without a window; one for all tests, each of whose visitors has cookies and storage of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string? Program = Programs.Find("chromium") ?? Programs.Find("chromium-browser") ?? Programs.Find("google-chrome");
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Somebody who opens the shop.</summary>
    /// <param name="shop">The shop.</param>
    /// <param name="dark">Whether they like it dark.</param>
    /// <param name="phone">Whether they look at it on a phone.</param>
    public async Task<Visitor> VisitAsync(ShopUnderTest shop, bool dark = false, bool phone = false)
    {
        Assert.SkipWhen(Program is null, "Chromium is not installed");
        _playwright ??= await Playwright.CreateAsync();
        // the sandbox is not for root, as whom containers run
        _browser ??= await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Args = ["--no-sandbox", "--disable-dev-shm-usage"],
            // as people's browsers do, it keeps pages as they were left, for the back button
            IgnoreDefaultArgs = ["--disable-back-forward-cache"],
        });
        var context = await _browser.NewContextAsync(new()
        {
            BaseURL = shop.Gateway.BaseAddress!.ToString(),
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = ScreenOf(phone),
        });
        return new(context, await context.NewPageAsync());
    }

    /// <summary>What a phone shows at once, or a laptop.</summary>
    public static ViewportSize ScreenOf(bool phone) => phone ? new() { Width = 390, Height = 844 } : new() { Width = 1280, Height = 800 };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
