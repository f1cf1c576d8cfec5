using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Shop.Testing;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>How events move, as the operator sees it: in the picture of the services, and in the dashboard's traces.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class FlowPageTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    /// <summary>Notes between which parts of the picture each dot has moved, in <c>window.travelled</c>.</summary>
    private const string NoteTravels = """
        () => {
          window.travelled = [];
          const begins = new Map();
          const placeOf = dot => {
            const [x, y] = ['cx', 'cy'].map(name => Number(dot.getAttribute(name)));
            const node = [...document.querySelectorAll('.flow .node')].find(node => {
              const box = node.querySelector('.box').getAttribute.bind(node.querySelector('.box'));
              const [left, top, width, height] = ['x', 'y', 'width', 'height'].map(name => Number(box(name)));
              return x > left - 1 && x < left + width + 1 && y > top && y < top + height;
            });
            return node && `${node.classList[1]} ${node.querySelector('.node-name').textContent}`;
          };
          new MutationObserver(changes => {
            for (const { addedNodes, removedNodes } of changes) {
              addedNodes.forEach(dot => begins.set(dot, placeOf(dot)));
              removedNodes.forEach(dot => window.travelled.push(`${begins.get(dot)} > ${placeOf(dot)}`));
            }
          }).observe(document.querySelector('.flow .dots'), { childList: true });
        }
        """;

    [Fact]
    public async Task Events_of_an_order_are_seen_to_travel_from_their_services_over_the_topics_to_who_reads_them()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.Page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.NoPreference });
        await olga.SignInAsync("Olga");
        // there has been one, so that the page knows what is new
        var ada = await Shopper.LogInAsync(shop.Gateway, "flowing-ada");
        await ada.WaitForEndAsync(await ada.SubmitOrderAsync(Shopper.Order("socks-wool", street: "Flow Street 1")), "fulfilled");
        await olga.Page.GotoAsync("/control");
        await Visitor.SeesAsync(olga.Page.Locator(".flow .node").First);
        await Visitor.SeesAsync(olga.Page.Locator(".feed-event").First);
        await olga.Page.EvaluateAsync(NoteTravels);

        await ada.SubmitOrderAsync(Shopper.Order("socks-wool", street: "Flow Street 1"));

        string[] ways =
        [
            "service orders > topic orders", "topic orders > group inventory.reservations", "service inventory > topic reservations", "topic reservations > group orders.fulfilment",
            "topic orders > group payments.payments", "service payments > topic payments", "topic payments > group activity.feed",
        ];
        await Eventually.BecomesAsync("", async () => string.Join(", ", ways.Except(await olga.Page.EvaluateAsync<string[]>("() => window.travelled"))));
        var topic = olga.Page.Locator(".node.topic").Filter(new() { HasText = "orders" });
        await Expect(topic.Locator(".node-value")).ToHaveTextAsync(new Regex("^[1-9]"));
    }

    [Fact]
    public async Task The_link_to_a_trace_leads_to_that_very_trace_in_the_dashboard()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        var ada = await Shopper.LogInAsync(shop.Gateway, "traced-ada");
        var order = await ada.SubmitOrderAsync(Shopper.Order("socks-wool", street: "Trace Street 1"));
        await ada.WaitForEndAsync(order, "fulfilled");
        await ada.TimelineAsync(order, Shopper.FulfilledLife);
        var events = (await (await Shopper.LogInAsync(shop.Gateway, "olga", "operator")).GetAsync($"/api/activity/timeline?order={order}")).GetProperty("items").EnumerateArray().ToList();
        var trace = events.Single(e => e.GetProperty("type").GetString()!.Contains("payment-authorized", StringComparison.Ordinal)).GetProperty("trace").GetString()!;
        await olga.Page.GotoAsync($"/control/orders/{order}");
        await olga.Page.Locator(".step").Filter(new() { HasText = "PaymentAuthorized" }).ClickAsync();
        var link = olga.Page.GetByRole(AriaRole.Region, new() { Name = "Event" }).GetByRole(AriaRole.Link, new() { Name = "trace" });

        var dashboard = await olga.Page.RunAndWaitForPopupAsync(() => link.ClickAsync());

        await Expect(dashboard).ToHaveURLAsync(new Regex($"/traces/detail/{trace}$"));
    }
}
