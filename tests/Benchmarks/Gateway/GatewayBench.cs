using System.Net.Http.Json;
using System.Text.Json;

namespace Shop.Benchmarks.Gateway;

/// <summary>
/// The gateway of a whole shop against the services behind it, asked directly, in turns: what it adds to an answer at a steady rate, how many answers there
/// are of it in comparison where clients ask as fast as they can, and what open streams cost. All of it, and what asks, shares the machine's cores.
/// </summary>
internal static class GatewayBench
{
    private const int Rate = 200, Clients = 16, Rounds = 4, Streams = 1_000, OpenedAtOnce = 50;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2), WarmUp = TimeSpan.FromSeconds(4);

    // longer than the time between two signs of life, which all streams have had then
    private static readonly TimeSpan StreamsOpen = TimeSpan.FromSeconds(20), Pause = TimeSpan.FromSeconds(3), Deadline = TimeSpan.FromMinutes(1);

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">The shop did not start, or gave an answer that is none.</exception>
    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        // one client's share of a gateway is not what is measured
        var settings = ((string[])["Orders", "Activity", "SignIn", "Devices", "Other"]).SelectMany(kind => ((string[])["PerSecond", "Burst"]).Select(limit => $"RateLimits__{kind}__{limit}"))
            .ToDictionary(name => name, _ => "1000000");
        settings["SHOP_DASHBOARD"] = "off";
        settings["Streams__PerShopper"] = "100000";
        settings["Deadlines__Payment"] = "01:00:00";
        var shop = new StartedShop(settings);
        try
        {
            Report.Progress("starting a shop");
            await shop.RunAsync("up", "--detach", cancellationToken);
            var (gateway, orders) = (await shop.PartAsync("gateway", cancellationToken), await shop.PartAsync("orders", cancellationToken));
            using var ada = new HttpClient { BaseAddress = gateway.Address };
            using var signIn = await ada.PostAsJsonAsync("/api/dev/token", new { name = "ada" }, cancellationToken);
            ada.DefaultRequestHeaders.Authorization = new("Bearer", (await signIn.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("access_token").GetString());
            // the provider is silent, and the order waits for it
            var order = await WaitingOrderAsync(ada, cancellationToken);

            await OpenStreamsAsync(report, ada, order, gateway.Process, orders.Process, cancellationToken);
            var token = ada.DefaultRequestHeaders.Authorization;
            await CompareAsync(report, "gateway.order", new(gateway.Address, $"/api/orders/{order}", token), new(orders.Address, $"/api/orders/{order}", token), cancellationToken);
            var inventory = await shop.PartAsync("inventory", cancellationToken);
            await CompareAsync(report, "gateway.catalog", new(gateway.Address, "/api/catalog/mug-blue"), new(inventory.Address, "/api/catalog/mug-blue"), cancellationToken);
        }
        finally
        {
            await shop.RunAsync("reset", CancellationToken.None);
        }
    }

    private static async Task CompareAsync(Report report, string name, RequestLoad gateway, RequestLoad direct, CancellationToken cancellationToken)
    {
        using (gateway)
        using (direct)
        {
            Report.Progress($"{name}: {Rate} requests a second, {Rounds} times {Round.TotalSeconds} s each");
            List<double> ofGateway = [], ofService = [];
            foreach (var load in (RequestLoad[])[direct, gateway])
                await load.AsFastAsPossibleAsync(Clients, WarmUp, cancellationToken);
            for (var round = 0; round < Rounds; round++)
            {
                ofService.AddRange(await direct.SteadyAsync(Rate, Round, cancellationToken));
                ofGateway.AddRange(await gateway.SteadyAsync(Rate, Round, cancellationToken));
            }
            Added("p50", 0.5, 0.7);
            Added("p99", 0.99, 3);

            Report.Progress($"{name}: {Clients} clients as fast as they can");
            var (answersOfGateway, answersOfService) = (0.0, 0.0);
            for (var round = 0; round < Rounds; round++)
            {
                answersOfService += await direct.AsFastAsPossibleAsync(Clients, Round, cancellationToken) / Rounds;
                answersOfGateway += await gateway.AsFastAsPossibleAsync(Clients, Round, cancellationToken) / Rounds;
            }
            report.Add(new($"{name}.throughput", answersOfGateway, "requests/s", new("the service directly", answersOfService, "requests/s"), 0.5, LowerIsBetter: false));

            void Added(string percentile, double fraction, double goal)
            {
                var without = RequestLoad.Percentile(ofService, fraction);
                report.Add(new($"{name}.added.{percentile}", RequestLoad.Percentile(ofGateway, fraction) - without, "ms", new("the service directly", without, "ms"), goal, LowerIsBetter: true) { IsGoalOfValue = true });
            }
        }
    }

    /// <summary>Opens streams of an order in which nothing happens, all through the gateway, and leaves them open for a while.</summary>
    private static async Task OpenStreamsAsync(Report report, HttpClient shopper, string order, int gateway, int orders, CancellationToken cancellationToken)
    {
        Report.Progress($"{Streams:N0} open streams");
        // what the first of them bring is not theirs
        await WithStreamsAsync(OpenedAtOnce, () => Task.Delay(Pause, cancellationToken));
        await Task.Delay(Pause, cancellationToken);
        var (gatewayBefore, ordersBefore) = (StartedShop.ProportionalMebibytes(gateway), StartedShop.ProportionalMebibytes(orders));
        await WithStreamsAsync(Streams, async () =>
        {
            await Task.Delay(StreamsOpen, cancellationToken);
            var (ofGateway, ofOrders) = (StartedShop.ProportionalMebibytes(gateway) - gatewayBefore, StartedShop.ProportionalMebibytes(orders) - ordersBefore);
            report.Add(new("gateway.streams.memory", ofGateway, "MiB", new("gateway without", gatewayBefore, "MiB"), 200, LowerIsBetter: true) { IsGoalOfValue = true });
            report.Add(new("gateway.streams.memory.all", ofGateway + ofOrders, "MiB", new("with Orders, without", gatewayBefore + ordersBefore, "MiB"), 200, LowerIsBetter: true) { IsGoalOfValue = true });
        });

        async Task WithStreamsAsync(int count, Func<Task> whileOpen)
        {
            var streams = new List<HttpResponseMessage>();
            try
            {
                while (streams.Count < count)
                    streams.AddRange(await Task.WhenAll(Enumerable.Range(0, OpenedAtOnce).Select(_ => OpenAsync())));
                await whileOpen();
                // each is read on in the background by none: what has come is in the connection's buffers
                if (streams.Find(stream => !stream.IsSuccessStatusCode) is { } refused)
                    throw new InvalidOperationException($"A stream was answered with {(int)refused.StatusCode}");
            }
            finally
            {
                streams.ForEach(stream => stream.Dispose());
            }
        }

        async Task<HttpResponseMessage> OpenAsync()
        {
            var stream = await shopper.GetAsync($"/api/orders/{order}/stream", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var body = await stream.Content.ReadAsStreamAsync(cancellationToken);
            // it has begun
            return await body.ReadAsync(new byte[1], cancellationToken) == 1 ? stream : throw new InvalidOperationException("A stream ended before it began");
        }
    }

    private static async Task<string> WaitingOrderAsync(HttpClient shopper, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = new StringContent("""
                {"lines":[{"sku":"mug-blue","quantity":1}],"payment":{"token":"tok_silent"},
                 "shipTo":{"name":"Ada Lovelace","street":"12 St James Square","city":"London","postalCode":"SW1Y 4JH","country":"GB"}}
                """, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
            Headers = { { "Idempotency-Key", Guid.CreateVersion7().ToString() } },
        };
        using var accepted = await shopper.SendAsync(request, cancellationToken);
        var order = (await accepted.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id").GetString()!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        while ((await shopper.GetFromJsonAsync<JsonElement>($"/api/orders/{order}", deadline.Token)).GetProperty("status").GetString() != "reserved")
            await Task.Delay(50, deadline.Token);
        return order;
    }
}
