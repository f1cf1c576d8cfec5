using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Shop.Benchmarks.Startup;

/// <summary>
/// A whole shop, as a developer starts it: from <c>./shop up --detach</c> to the first confirmed order, its memory when it is idle, and its
/// end; with Aspire's dashboard and without, on fresh data and on data that is there.
/// </summary>
internal static class StartupBench
{
    private const string Order = """
        {"lines":[{"sku":"mug-blue","quantity":1}],"payment":{"token":"tok_visa"},
         "shipTo":{"name":"Ada Lovelace","street":"12 St James Square","city":"London","postalCode":"SW1Y 4JH","country":"GB"}}
        """;

    private static readonly TimeSpan OrderDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>After this time without orders a shop counts as idle.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A shop did not start, did not confirm an order, or could not be stopped.</exception>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        foreach (var dashboard in (string[])["on", "off"])
        {
            var shop = new StartedShop(new() { ["SHOP_DASHBOARD"] = dashboard });
            try
            {
                // building, and reading everything from the disk for the first time, is not measured
                await shop.RunAsync("up", "--detach", cancellationToken);
                await shop.RunAsync("reset", cancellationToken);
                await MeasureAsync(report, shop, $"startup.dashboard-{dashboard}.fresh", goalSeconds: 10, memoryGoal: null, cancellationToken);
                await MeasureAsync(report, shop, $"startup.dashboard-{dashboard}.existing", goalSeconds: 8, memoryGoal: dashboard == "on" ? 1_126 : 800, cancellationToken);
            }
            finally
            {
                await shop.RunAsync("reset", CancellationToken.None);
            }
        }
    }

    private static async Task MeasureAsync(Report report, StartedShop shop, string name, double goalSeconds, double? memoryGoal, CancellationToken cancellationToken)
    {
        var up = Stopwatch.StartNew();
        await shop.RunAsync("up", "--detach", cancellationToken);
        var first = Stopwatch.StartNew();
        using var shopper = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{shop.Port}") };
        await ConfirmOrderAsync(shopper, cancellationToken);
        report.Add(new($"{name}.up-to-order", up.Elapsed.TotalSeconds, "s", null, goalSeconds, LowerIsBetter: true));
        report.Add(new($"{name}.first-order", first.Elapsed.TotalSeconds, "s", null, 0.5, LowerIsBetter: true));
        if (memoryGoal is { } goal)
        {
            await Task.Delay(Idle, cancellationToken);
            report.Add(new($"{name}.memory", shop.ProportionalMebibytes(), "MiB", null, goal, LowerIsBetter: true));
        }
        var down = Stopwatch.StartNew();
        await shop.RunAsync("down", cancellationToken);
        report.Add(new($"{name}.down", down.Elapsed.TotalSeconds, "s", null, 5, LowerIsBetter: true));
    }

    private static async Task ConfirmOrderAsync(HttpClient shopper, CancellationToken cancellationToken)
    {
        using var signIn = await shopper.PostAsJsonAsync("/api/dev/token", new { name = "ada" }, cancellationToken);
        shopper.DefaultRequestHeaders.Authorization = new("Bearer", (await signIn.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("access_token").GetString());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = new StringContent(Order, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var accepted = await shopper.SendAsync(request, cancellationToken);
        if (!accepted.IsSuccessStatusCode)
            throw new InvalidOperationException($"The order was answered with {(int)accepted.StatusCode}: {await accepted.Content.ReadAsStringAsync(cancellationToken)}");
        var id = (await accepted.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString();
        for (var since = Stopwatch.StartNew(); since.Elapsed < OrderDeadline; await Task.Delay(PollInterval, cancellationToken))
        {
            var order = await shopper.GetFromJsonAsync<JsonElement>($"/api/orders/{id}", cancellationToken);
            if (order.GetProperty("status").GetString() is "confirmed" or "fulfilled")
                return;
        }
        throw new InvalidOperationException($"The order was not confirmed within {OrderDeadline.TotalSeconds} s");
    }
}
