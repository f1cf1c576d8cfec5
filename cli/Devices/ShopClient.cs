using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Shop.Cli.Devices;

/// <summary>What became of readings that were sent.</summary>
/// <param name="Accepted">How many were taken.</param>
/// <param name="Refused">How many were not, and never will be.</param>
/// <param name="RetryAfter">When all of them may be sent again; null where they need not be.</param>
internal readonly record struct Sent(int Accepted, int Refused, TimeSpan? RetryAfter);

/// <summary>The shop's API, as an operator and as devices use it.</summary>
internal sealed class ShopClient : IDisposable
{
    /// <summary>A token that is not taken any more and is younger than this has not expired.</summary>
    private static readonly TimeSpan TokenAge = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http;
    private string? _token;
    private long _signedInAt;

    public ShopClient(Uri address) => _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 64, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20) }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };

    public void Dispose() => _http.Dispose();

    /// <summary>Signs in as an operator, which a shop for development lets anybody do.</summary>
    public async Task SignInAsync(CancellationToken cancellationToken)
    {
        using var answer = await _http.PostAsync("/api/dev/token", Json("""{"name":"fleet","roles":["operator"]}"""), cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new CommandFailedException("The shop gives no operator's token: it is not one for development.");
        (_token, _signedInAt) = ((await BodyAsync(answer, cancellationToken)).GetProperty("access_token").GetString(), TimeProvider.System.GetTimestamp());
    }

    /// <summary>The products, by sku.</summary>
    public async Task<List<string>> SkusAsync(CancellationToken cancellationToken)
    {
        var skus = new List<string>();
        for (var after = ""; after is not null;)
        {
            var page = await GetAsync($"/api/catalog?limit=100&after={Uri.EscapeDataString(after)}", cancellationToken);
            skus.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("sku").GetString()!));
            after = page.GetProperty("next").GetString();
        }
        return skus;
    }

    /// <summary>The pieces of a product in the warehouse.</summary>
    public async Task<int> OnHandAsync(string sku, CancellationToken cancellationToken) =>
        (await GetAsync($"/api/stock/{sku}", cancellationToken)).GetProperty("onHand").GetInt32();

    /// <summary>Registers a sensor.</summary>
    /// <returns>Its key, or why the shop does not take it: another sensor has its shelf, for example.</returns>
    public async Task<(string? Key, string? Refusal)> RegisterAsync(string sensor, string setup, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync(HttpMethod.Put, $"/api/ops/sensors/{sensor}", setup, cancellationToken);
        if (answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.BadRequest)
            return (null, RefusalOf(await BodyAsync(answer, cancellationToken)));
        answer.EnsureSuccessStatusCode();
        if ((await BodyAsync(answer, cancellationToken)).GetProperty("key").GetString() is { } key)
            return (key, null);
        // one of an earlier fleet that could not clean up
        using var renewed = await AskAsync(HttpMethod.Post, $"/api/ops/sensors/{sensor}/key", null, cancellationToken);
        return ((await BodyAsync(renewed.EnsureSuccessStatusCode(), cancellationToken)).GetProperty("key").GetString(), null);
    }

    /// <summary>Removes a sensor.</summary>
    public async Task RemoveAsync(string sensor, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync(HttpMethod.Delete, $"/api/ops/sensors/{sensor}", null, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.NotFound)
            answer.EnsureSuccessStatusCode();
    }

    /// <summary>How the sensors are, by name.</summary>
    public async Task<Dictionary<string, string>> StatesAsync(CancellationToken cancellationToken)
    {
        var states = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var after = ""; after is not null;)
        {
            using var answer = await AskAsync(HttpMethod.Get, $"/api/ops/sensors?limit=1000&after={after}", null, cancellationToken);
            var page = await BodyAsync(answer.EnsureSuccessStatusCode(), cancellationToken);
            foreach (var item in page.GetProperty("items").EnumerateArray())
                states[item.GetProperty("sensor").GetString()!] = item.GetProperty("state").GetString()!;
            after = page.GetProperty("next").GetString();
        }
        return states;
    }

    /// <summary>Sends readings as the device does. What does not get through at all counts as refused for now.</summary>
    public async Task<Sent> SendAsync(string sensor, string key, byte[] readings, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/devices/{sensor}/readings") { Content = new ByteArrayContent(readings) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("X-Device-Key", key);
        try
        {
            using var answer = await _http.SendAsync(request, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Accepted)
                return new(0, 0, answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(2));
            var result = await BodyAsync(answer, cancellationToken);
            return new(result.GetProperty("accepted").GetInt32(), result.GetProperty("refused").GetArrayLength(), null);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new(0, 0, TimeSpan.FromSeconds(2));
        }
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync(HttpMethod.Get, path, null, cancellationToken);
        return await BodyAsync(answer.EnsureSuccessStatusCode(), cancellationToken);
    }

    /// <summary>Asks as an operator, again when the shop has time for it: a fleet is one address, of which only so much is taken.</summary>
    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string? body, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) };
            if (_token is not null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
            var answer = await _http.SendAsync(request, cancellationToken);
            if (answer.StatusCode is HttpStatusCode.Unauthorized && _token is not null && TimeProvider.System.GetElapsedTime(_signedInAt) > TokenAge)
                await SignInAsync(cancellationToken);
            else if (answer.StatusCode is HttpStatusCode.TooManyRequests)
                await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), cancellationToken);
            else
                return answer;
            answer.Dispose();
        }
    }

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using var body = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
        return body.RootElement.Clone();
    }

    /// <summary>What a problem says is wrong, of each field.</summary>
    private static string RefusalOf(JsonElement problem) => problem.TryGetProperty("errors", out var errors)
        ? string.Join(' ', errors.EnumerateObject().SelectMany(field => field.Value.EnumerateArray()).Select(message => message.GetString()))
        : problem.GetProperty("title").GetString()!;

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
