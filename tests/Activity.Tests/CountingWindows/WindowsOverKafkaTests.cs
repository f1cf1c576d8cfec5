using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Shop.Activity.CountingWindows;
using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Activity.Tests.CountingWindows;

/// <summary>Windows over everything that is on a broker: each test has one of its own.</summary>
public sealed class WindowsOverKafkaTests(ShopFixture shops)
{
    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Each_event_counts_once_and_the_shapes_are_those_that_are_told(Broker broker)
    {
        await using var running = await RunningBroker.StartAsync(broker);
        await using var shop = await ShopFixture.StartAsync(running.BootstrapServers, await shops.CreateDatabaseAsync());
        using var kafka = new KafkaWriter(shop.Kafka);
        var now = DateTimeOffset.UtcNow;
        for (var i = 0; i < 20; i++)
        {
            var (order, visitor, id) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
            var submitted = new OrderSubmitted(order, "ada", [new("mug-blue", 2, new(9.50m, "EUR")), new("mug-red", 1, new(1, "EUR"))], new(20.10m, i < 15 ? "EUR" : "USD"), new("A", "B", "C", "D", "DE"), now);
            await kafka.PublishAsync(new ProductViewed(visitor, "mug-blue"), id: id);
            await kafka.PublishAsync(new ProductViewed(visitor, "mug-blue"), id: id);
            await kafka.PublishAsync(new CartChanged(visitor, "mug-blue", 1));
            await kafka.PublishAsync(new CheckoutStarted(visitor));
            await kafka.PublishAsync(submitted, at: now.AddMinutes(-3));
            if (i % 2 == 0)
                await kafka.PublishAsync(new OrderConfirmed(order), at: now.AddMinutes(-2), id: order);
            await kafka.PublishAsync(new OrderConfirmed(order), at: now.AddMinutes(-2), id: order);
            await kafka.PublishAsync(i < 18 ? new OrderFulfilled(order) : new OrderCancelled(order, "x"));
        }
        await kafka.PublishAsync(new PaymentHeld(Guid.CreateVersion7(), Guid.CreateVersion7(), 0.9, []));
        await kafka.PublishAsync(new AlarmRaised(Guid.CreateVersion7(), "test", "test", "x", "a", "b", now));
        // within the last hour, and at most times not within that of the clock
        await kafka.PublishAsync(new OrderFulfilled(Guid.CreateVersion7()), at: now.AddMinutes(-50));
        // too late for its window
        await kafka.PublishAsync(new OrderFulfilled(Guid.CreateVersion7()), at: now.AddHours(-2));

        const string Expected = """
            "orders":{"submitted":20,"confirmed":20,"fulfilled":19,"cancelled":2},"revenue":[{"amount":301.50,"currency":"EUR"},{"amount":100.50,"currency":"USD"}],"funnel":{"viewed":20,"cart":20,"checkout":20,"confirmed":20},"bestSellers":[{"sku":"mug-blue","quantity":40},{"sku":"mug-red","quantity":20}],"held":1,"alarms":1}
            """;
        await Eventually.BecomesAsync(Expected, async () => AfterTimes(await shop.ReadAsync("/api/activity/summary?minutes=180")));
        Assert.Equal(Expected, AfterTimes(await shop.ReadAsync("/api/activity/summary?minutes=60")));
        var series = await shop.ReadAsync("/api/activity/series?minutes=10");
        Assert.Equal(10, series.GetArrayLength());
        Assert.Equal(20, series.EnumerateArray().Sum(window => Orders(window, "confirmed")));
        Assert.Single(series.EnumerateArray(), window => Orders(window, "confirmed") == 20);
        Assert.Equal(series.EnumerateArray().Skip(1).Select(window => window.GetProperty("from").GetDateTimeOffset()), series.EnumerateArray().SkipLast(1).Select(window => window.GetProperty("to").GetDateTimeOffset()));
        var hours = await shop.ReadAsync("/api/activity/series?minutes=180&by=hour");
        Assert.Equal(20, hours.EnumerateArray().Sum(window => Orders(window, "submitted")));
    }

    [Fact]
    public async Task A_thousand_listeners_hear_of_a_change_by_one_query()
    {
        await using var running = await RunningBroker.StartAsync(Broker.Embedded);
        await using var shop = await ShopFixture.StartAsync(running.BootstrapServers, await shops.CreateDatabaseAsync());
        using var kafka = new KafkaWriter(shop.Kafka);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        // each hears again whenever a minute is over: how much was heard does not say by whom, nor of what
        var (listening, told) = (new bool[1000], new bool[1000]);
        var listeners = Enumerable.Range(0, listening.Length).Select(listener => ListenAsync(shop, summary =>
        {
            Volatile.Write(ref listening[listener], true);
            if (summary.Contains("\"fulfilled\":1,", StringComparison.Ordinal))
                Volatile.Write(ref told[listener], true);
        }, ended.Token)).ToArray();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!listening.Contains(false)));

        var broadcast = shop.Services.GetRequiredService<SummaryBroadcast>();
        var before = broadcast.Queries;
        var began = TimeProvider.System.GetTimestamp();
        await kafka.PublishAsync(new OrderFulfilled(Guid.CreateVersion7()));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(!told.Contains(false)));
        // one a second
        Assert.InRange(broadcast.Queries - before, 1, 2 + (long)TimeProvider.System.GetElapsedTime(began).TotalSeconds);
        await ended.CancelAsync();
        await Task.WhenAll(listeners);
        await Eventually.BecomesTrueAsync(async () =>
        {
            var idle = broadcast.Queries;
            await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken);
            return idle == broadcast.Queries;
        });
    }

    [Theory]
    [InlineData("summary?minutes=0", "minutes")]
    [InlineData("summary?minutes=x", "minutes")]
    [InlineData("summary?minutes=44641", "minutes")]
    [InlineData("series?minutes=1441", "minutes")]
    [InlineData("series?minutes=99999999999", "minutes")]
    [InlineData("series?by=day", "by")]
    public async Task A_bad_query_is_refused_by_name(string query, string field)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var answer = await shop.GetAsync($"/api/activity/{query}", TestTokens.Operator());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Theory, InlineData("summary"), InlineData("series"), InlineData("stream")]
    public async Task Only_operators_read_windows(string path)
    {
        var shop = await shops.OnAsync(Broker.Embedded);

        using var shopper = await shop.GetAsync($"/api/activity/{path}", TestTokens.Shopper("ada"));
        Assert.Equal(HttpStatusCode.Forbidden, shopper.StatusCode);
    }

    private static int Orders(JsonElement window, string outcome) => window.GetProperty("orders").GetProperty(outcome).GetInt32();

    private static string AfterTimes(JsonElement summary)
    {
        Assert.True(summary.GetProperty("from").GetDateTimeOffset() < summary.GetProperty("to").GetDateTimeOffset());
        var text = summary.GetRawText();
        return text[text.IndexOf("\"orders\"", StringComparison.Ordinal)..];
    }

    private static async Task ListenAsync(RunningActivity shop, Action<string> onSummary, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/activity/stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TestTokens.Operator());
        try
        {
            using var answer = await shop.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
            using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
            {
                if (line.StartsWith("data: {\"from\":", StringComparison.Ordinal))
                    onSummary(line);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // heard enough
        }
    }
}
