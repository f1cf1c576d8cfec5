using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>Somebody who uses the shop through its gateway.</summary>
public sealed class Shopper
{
    /// <summary>What happens to an order that is fulfilled; of the capture and the dispatch either may be first.</summary>
    public static readonly string[] FulfilledLife =
        ["order-submitted", "stock-reserved", "payment-requested", "payment-authorized", "order-confirmed", "payment-captured", "stock-dispatched", "order-fulfilled"];

    private readonly HttpClient _gateway;
    private readonly AuthenticationHeaderValue _token;

    private Shopper(HttpClient gateway, string token)
    {
        _gateway = gateway;
        _token = new("Bearer", token);
    }

    public static async Task<Shopper> LogInAsync(HttpClient gateway, string name, params string[] roles)
    {
        using var response = await gateway.PostAsJsonAsync("/api/dev/token", new { name, roles });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new(gateway, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!);
    }

    /// <summary>An order of one line, as JSON.</summary>
    public static string Order(string sku = "mug-blue", long quantity = 1, string token = "tok_visa", string street = "12 St James's Square") => JsonSerializer.Serialize(new
    {
        lines = new[] { new { sku, quantity } },
        payment = new { token },
        shipTo = new { name = "Ada Lovelace", street, city = "London", postalCode = "SW1Y 4JH", country = "GB" },
    });

    public Task<HttpResponseMessage> SubmitAsync(string body, string? key = null) =>
        SendAsync(HttpMethod.Post, "/api/orders", body, key ?? Guid.CreateVersion7().ToString());

    /// <summary>Submits an order that must be accepted.</summary>
    /// <returns>Its id.</returns>
    public async Task<Guid> SubmitOrderAsync(string body, string? key = null)
    {
        using var response = await SubmitAsync(body, key);
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>The order's status; <c>unavailable</c> where a part on the way to it is away for the moment.</summary>
    public async Task<string> StatusAsync(Guid order)
    {
        try
        {
            using var response = await SendAsync(HttpMethod.Get, $"/api/orders/{order}");
            if ((int)response.StatusCode >= 500)
                return "unavailable";
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString()!;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return "unavailable";
        }
    }

    /// <summary>Waits until the order has ended.</summary>
    /// <returns>The order.</returns>
    public async Task<JsonElement> WaitForEndAsync(Guid order, string expected, TimeSpan? deadline = null)
    {
        await Eventually.BecomesAsync(expected, () => StatusAsync(order), deadline);
        return await GetAsync($"/api/orders/{order}");
    }

    /// <summary>
    /// Waits until the order's timeline has each of the types <paramref name="expected"/> (such as <c>order-fulfilled</c>), twice where one is given
    /// twice. Activity reads the topics side by side: that an order's last event is there does not say that all before it are.
    /// </summary>
    public async Task<IReadOnlyList<TimelineEvent>> TimelineAsync(Guid order, params IReadOnlyCollection<string> expected)
    {
        List<TimelineEvent> events = [];
        await Eventually.BecomesAsync("", async () =>
        {
            using var response = await SendAsync(HttpMethod.Get, $"/api/orders/{order}/timeline");
            if (response.StatusCode == HttpStatusCode.OK)
                events = (await response.Content.ReadFromJsonAsync<List<TimelineEvent>>(JsonSerializerOptions.Web))!;
            var missing = expected.ToList();
            events.ForEach(e => missing.Remove(e.ShortType));
            return string.Join(", ", missing);
        });
        return events;
    }

    /// <summary>Reads an order's stream, after the event <paramref name="lastEventId"/>, until it ends or <paramref name="atMost"/> events have come; then cuts it.</summary>
    public async Task<List<StreamedEvent>> StreamAsync(Guid order, string? lastEventId, int atMost = int.MaxValue)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/orders/{order}/stream") { Headers = { Authorization = _token } };
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        using var response = await _gateway.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.NoContent, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        var events = new List<StreamedEvent>();
        await using var body = await response.Content.ReadAsStreamAsync();
        using var deadline = new CancellationTokenSource(Eventually.DefaultDeadline);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(deadline.Token))
        {
            var data = JsonSerializer.Deserialize<JsonElement>(item.Data);
            events.Add(new(item.EventId!, data.GetProperty("id").GetGuid(), data.GetProperty("type").GetString()!.Split('.')[2], data.GetProperty("status").GetString()!));
            if (events.Count == atMost)
                break;
        }
        return events;
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = _token } };
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await _gateway.SendAsync(request);
    }
}

/// <summary>An event of an order's timeline.</summary>
public sealed record TimelineEvent(string Type, DateTimeOffset At, string Topic, int Partition, long Offset, Guid Id, Guid? CausationId, JsonElement Data)
{
    /// <summary>The type without <c>shop.topic.</c> and version: <c>order-submitted</c>.</summary>
    public string ShortType => Type.Split('.')[2];
}

/// <summary>An event of an order's stream: the id of the server-sent event, the event's own, its type as in <see cref="TimelineEvent.ShortType"/>, the status after it.</summary>
public sealed record StreamedEvent(string Id, Guid EventId, string Type, string Status);

/// <summary>A product's stock.</summary>
public sealed record StockLevel(string Sku, int OnHand, int Reserved, int Available, int Dispatched);
