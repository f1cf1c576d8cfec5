using System.Net.Http.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Shop.EndToEnd.Browser;

/// <summary>What is in the warehouse, as the operator sees and corrects it: its sensors and the stock.</summary>
[Collection(nameof(ShopInBrowsers))]
public sealed class WarehousePageTests(ShopOnEmbeddedKafka shop, Chromium chromium)
{
    [Fact]
    public async Task A_sensor_and_its_alarm_are_seen_to_come_and_the_alarm_to_be_over()
    {
        await using var olga = await chromium.VisitAsync(shop);
        await olga.SignInAsync("Olga");
        await olga.Page.GotoAsync("/control/sensors");
        await olga.MarkAsync();
        await using var thermometer = await Thermometer.RegisterAsync(shop.Gateway, "cold-store-seen");
        var sensor = RowOf("Sensors", thermometer.Name);
        var alarm = RowOf("Alarms", thermometer.Name).Filter(new() { HasText = "temperature" });
        await Visitor.SeesAsync(sensor.Locator(".status"), "waiting");

        await thermometer.SendAsync(5);
        await Visitor.SeesAsync(sensor.Locator(".status"), "ok");
        await Expect(sensor).ToContainTextAsync("5.0 °C");
        await Visitor.SeesAsync(alarm, visible: false);

        await thermometer.SendAsync(11.5);
        await Visitor.SeesAsync(alarm.Locator(".status"), "open");
        await Expect(alarm).ToContainTextAsync("11.5 °C");
        await Visitor.SeesAsync(sensor.Locator(".status"), "alarm");
        await Visitor.SeesAsync(olga.Page.Locator("#alarms"));

        await thermometer.SendAsync(5);
        await Visitor.SeesAsync(alarm, visible: false);
        await Visitor.SeesAsync(sensor.Locator(".status"), "ok");
        await olga.Page.GetByRole(AriaRole.Navigation, new() { Name = "Which alarms" }).GetByRole(AriaRole.Link, new() { Name = "all" }).ClickAsync();
        await Visitor.SeesAsync(alarm.Locator(".status"), "over");
        await olga.NeverReloadedAsync();

        ILocator RowOf(string table, string name) => olga.Page.GetByRole(AriaRole.Table, new() { Name = table }).Locator("tbody tr").Filter(new() { HasText = name });
    }

    [Fact]
    public async Task A_stock_taking_is_entered_and_is_seen_in_the_level_and_the_ledger()
    {
        const string Sku = "bottle-steel";
        await using var olga = await chromium.VisitAsync(shop);
        olga.Expected = new("400");
        await olga.SignInAsync("Olga");
        var before = (await StockAsync()).OnHand;
        await olga.Page.GotoAsync($"/control/stock/{Sku}");
        var form = olga.Page.GetByRole(AriaRole.Region, new() { Name = "Stock-taking" });
        var onHand = olga.Page.Locator(".figure").Filter(new() { HasText = "On hand" }).Locator(".figure-value");
        await Visitor.SeesAsync(onHand, $"{before}");
        await olga.MarkAsync();

        await EnterAsync(-1, "nobody can count so");
        await Visitor.SeesAsync(form.Locator(".field-error:not(:empty)"));
        Assert.Equal(before, (await StockAsync()).OnHand);

        await EnterAsync(before - 3, "three are dented");
        await SeesBookedAsync(before - 3, "three are dented", "−3");

        await EnterAsync(before, "beaten out again");
        await SeesBookedAsync(before, "beaten out again", "+3");
        await olga.NeverReloadedAsync();

        Task<StockLevel> StockAsync() => shop.Gateway.GetFromJsonAsync<StockLevel>($"/api/stock/{Sku}")!;

        async Task EnterAsync(int counted, string reason)
        {
            await form.GetByLabel("Pieces counted, reserved ones included").FillAsync($"{counted}");
            await form.GetByLabel("Reason").FillAsync(reason);
            await form.GetByRole(AriaRole.Button, new() { Name = "Correct" }).ClickAsync();
        }

        async Task SeesBookedAsync(int level, string reason, string moved)
        {
            await Visitor.SeesAsync(form.GetByRole(AriaRole.Status), $"Booked: {level} on hand, {level} available.");
            await Visitor.SeesAsync(onHand, $"{level}");
            var row = olga.Page.GetByRole(AriaRole.Table, new() { Name = "Movements" }).Locator("tbody tr").Filter(new() { HasText = reason });
            await Expect(row.Locator("[data-label=Cause]")).ToHaveTextAsync("correction");
            await Expect(row.Locator("[data-label='On hand']")).ToHaveTextAsync(moved);
            Assert.Equal(level, (await StockAsync()).OnHand);
        }
    }
}
