using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Shop.Testing;

namespace Shop.Orders.Tests.StreamingOrders;

/// <summary>A change as a client sees it: the id of the server-sent event, the event's type without topic and version, the status after it, and what was published.</summary>
public sealed record Change(string Id, string Type, string Status, Guid EventId, string Data)
{
    public static Change Of(SseItem<string> item)
    {
        var data = JsonSerializer.Deserialize<JsonElement>(item.Data);
        Assert.Equal("message", item.EventType);
        Assert.Equal(item.EventId, data.GetProperty("sequence").GetRawText());
        return new(item.EventId!, data.GetProperty("type").GetString()!.Split('.')[2], data.GetProperty("status").GetString()!, data.GetProperty("id").GetGuid(),
            data.GetProperty("data").GetRawText());
    }
}

/// <summary>An order's stream, open.</summary>
public sealed class OpenStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = Eventually.DefaultDeadline;
    private readonly HttpResponseMessage _response;
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private IAsyncEnumerator<SseItem<string>>? _items;

    private OpenStream(HttpResponseMessage response) => _response = response;

    public HttpStatusCode Status => _response.StatusCode;

    public HttpResponseMessage Response => _response;

    /// <summary>Returns when the answer has begun.</summary>
    public static Task<OpenStream> OpenAsync(HttpClient http, string shopper, Guid order, string? lastEventId = null) =>
        OpenWithTokenAsync(http, TestTokens.Shopper(shopper), order, lastEventId);

    /// <inheritdoc cref="OpenAsync"/>
    public static async Task<OpenStream> OpenWithTokenAsync(HttpClient http, string token, Guid order, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/orders/{order}/stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        return new(await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
    }

    /// <summary>The next change; null at the stream's end.</summary>
    public async Task<Change?> NextAsync()
    {
        _deadline.CancelAfter(Patience);
        _items ??= SseParser.Create(await _response.Content.ReadAsStreamAsync(_deadline.Token)).EnumerateAsync(_deadline.Token).GetAsyncEnumerator(_deadline.Token);
        return await _items.MoveNextAsync() ? Change.Of(_items.Current) : null;
    }

    /// <summary>The next <paramref name="count"/> changes, which have to come.</summary>
    public async Task<List<Change>> TakeAsync(int count)
    {
        var changes = new List<Change>();
        while (changes.Count < count)
            changes.Add(await NextAsync() ?? throw new InvalidOperationException($"The stream has ended after {string.Join(", ", changes)}"));
        return changes;
    }

    /// <summary>Everything up to the stream's end.</summary>
    public async Task<List<Change>> RestAsync()
    {
        var changes = new List<Change>();
        while (await NextAsync() is { } change)
            changes.Add(change);
        return changes;
    }

    /// <summary>Cuts the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _response.Dispose();
        await _deadline.CancelAsync();
        if (_items is not null)
            await _items.DisposeAsync();
        _deadline.Dispose();
    }
}
