using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>The sign-in page where the shop is not in Development, and what is left of somebody who has signed out.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class SignInTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    private const string Session = "**/api/session";

    [Fact]
    public async Task Where_nobody_can_sign_in_nobody_is_there_to_choose()
    {
        await using var visitor = await chromium.VisitAsync(shop);
        visitor.Expected = new("404");
        // as outside Development, without an authority
        await visitor.Page.RouteAsync(Session, route => route.FulfillAsync(new() { Status = 404, ContentType = "application/problem+json", Body = """{"status":404,"title":"Not Found"}""" }));

        await visitor.Page.GotoAsync("/sign-in");

        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Nobody can sign in here" }));
        await Expect(visitor.Page.Locator(".person")).ToHaveCountAsync(0);
        await Expect(visitor.Page.Locator("#account")).ToBeEmptyAsync();
    }

    [Fact]
    public async Task A_shop_that_does_not_tell_who_is_signed_in_is_not_taken_for_one_where_nobody_can_sign_in()
    {
        await using var visitor = await chromium.VisitAsync(shop);
        visitor.Expected = new("500");
        await visitor.Page.RouteAsync(Session, route => route.FulfillAsync(new() { Status = 500, ContentType = "application/problem+json", Body = """{"status":500,"title":"Internal Server Error"}""" }));

        await visitor.Page.GotoAsync("/sign-in");

        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "This could not be shown" }));
        await Visitor.SeesAsync(visitor.Page.Locator("#account").GetByRole(AriaRole.Link, new() { Name = "Sign in" }));

        await visitor.Page.UnrouteAsync(Session);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Who are you?" }));
    }

    [Theory, InlineData("refused", "You are not signed in"), InlineData("away", "does not work at the moment")]
    public async Task What_went_wrong_at_the_authority_is_said_beside_the_way_back_there(string problem, string said)
    {
        await using var visitor = await chromium.VisitAsync(shop);
        await visitor.Page.RouteAsync(Session, route => route.FulfillAsync(new() { ContentType = "application/json", Body = """{"name":null,"roles":[],"signInAt":"/api/session/sign-in"}""" }));

        await visitor.Page.GotoAsync($"/sign-in?problem={problem}&return=%2Forders");

        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Alert), said, exact: false);
        await Expect(visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Continue to sign in" })).ToHaveAttributeAsync("href", "/api/session/sign-in?returnTo=%2Forders");
    }

    [Theory, InlineData("/.//evil.example/x", "/evil.example/x"), InlineData("//evil.example", "/"), InlineData("http://", "/"), InlineData("/orders?status=fulfilled", "/orders?status=fulfilled")]
    public async Task Whoever_signs_in_comes_back_to_this_shop_whatever_the_link_said(string wanted, string back)
    {
        await using var visitor = await chromium.VisitAsync(shop);
        await visitor.Page.RouteAsync(Session, route => route.FulfillAsync(new() { ContentType = "application/json", Body = """{"name":null,"roles":[],"signInAt":"/api/session/sign-in"}""" }));

        await visitor.Page.GotoAsync($"/sign-in?return={Uri.EscapeDataString(wanted)}");

        await Expect(visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Continue to sign in" })).ToHaveAttributeAsync("href", $"/api/session/sign-in?{await QueryAsync()}");

        // as browsers write it
        Task<string> QueryAsync() => visitor.Page.EvaluateAsync<string>("returnTo => new URLSearchParams({ returnTo }).toString()", back);
    }

    [Fact]
    public async Task Who_signs_in_in_one_tab_is_who_shops_in_the_others()
    {
        await using var visitor = await chromium.VisitAsync(shop);
        await visitor.SignInAsync("Grace");
        var other = await visitor.Page.Context.NewPageAsync();
        await other.GotoAsync("/products/mug-blue");
        await Visitor.SeesAsync(other.Locator("#account .who"), "grace", exact: false);

        await visitor.SignInAsync("Ada");
        await Visitor.SeesAsync(other.Locator("#account .who"), "ada", exact: false);

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Visitor.SeesAsync(other.Locator("#account").GetByRole(AriaRole.Link, new() { Name = "Sign in" }));
    }

    [Theory, InlineData("Grace", "/orders", "Who are you?"), InlineData("Olga", "/control/payments", "The control room is for operators")]
    public async Task Nothing_of_who_has_signed_out_comes_back_by_the_back_button(string name, string own, string instead)
    {
        await using var visitor = await chromium.VisitAsync(shop);
        // what the page was asking for meanwhile
        visitor.Expected = new("401");
        await visitor.SignInAsync(name);
        await visitor.Page.GotoAsync(own);
        await Visitor.SeesAsync(visitor.Page.Locator("#account .who"));
        await visitor.Page.GotoAsync("/basket");
        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "basket" }));
        var signedOut = await visitor.Page.Context.APIRequest.DeleteAsync("/api/session", new() { Headers = new Dictionary<string, string> { ["X-Anti-Forgery"] = "1" } });
        Assert.True(signedOut.Ok, $"{signedOut.Status}");

        // not GoBackAsync, which waits for a page that loads
        await visitor.Page.EvaluateAsync("() => history.back()");

        await Visitor.SeesAsync(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = instead }));
        await Expect(visitor.Page.Locator("#account .who")).ToHaveCountAsync(0);
    }
}
