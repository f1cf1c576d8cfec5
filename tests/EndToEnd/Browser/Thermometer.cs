using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Shop.Testing;

namespace Shop.EndToEnd.Browser;

/// <summary>A device that measures what should be 2 to 8 degrees Celsius; the shop forgets it when it is disposed of.</summary>
internal sealed class Thermometer : IAsyncDisposable
{
    /// <summary>As many in a row as it takes to change what the shop takes to be so.</summary>
    private const int Readings = 2;

    private readonly HttpClient _gateway;
    private readonly Shopper _operator;
    private readonly string _key;

    private Thermometer(HttpClient gateway, Shopper @operator, string name, string key) => (_gateway, _operator, Name, _key) = (gateway, @operator, name, key);

    /// <summary>What the shop calls it.</summary>
    public string Name { get; }

    /// <summary>Registers one.</summary>
    public static async Task<Thermometer> RegisterAsync(HttpClient gateway, string name)
    {
        var olga = await Shopper.LogInAsync(gateway, "olga", "operator");
        using var answer = await olga.SendAsync(HttpMethod.Put, $"/api/ops/sensors/{name}", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return new(gateway, olga, name, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!);
    }

    /// <summary>Sends what it measures, often enough to be believed.</summary>
    public async Task SendAsync(double celsius)
    {
        var now = DateTimeOffset.UtcNow;
        var readings = string.Join(',', Enumerable.Range(1 - Readings, Readings).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"at":"{{now.AddMilliseconds(i):O}}","celsius":{{celsius}}}""")));
        // a busy shop asks for them again
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/devices/{Name}/readings") { Content = new StringContent($"[{readings}]", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")) };
            request.Headers.Add("X-Device-Key", _key);
            using var answer = await _gateway.SendAsync(request);
            Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            return answer.StatusCode == HttpStatusCode.Accepted;
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var answer = await _operator.SendAsync(HttpMethod.Delete, $"/api/ops/sensors/{Name}");
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }
}
