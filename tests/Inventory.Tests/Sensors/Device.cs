using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Sensors;

/// <summary>A device with a key of its own.</summary>
public sealed class Device
{
    private static readonly Lock Clock = new();
    private static DateTimeOffset _last;

    private readonly RunningInventory _shop;
    private readonly string _member;

    private Device(RunningInventory shop, string name, string key, string member) => (_shop, Name, Key, _member) = (shop, name, key, member);

    /// <summary>The time, in whole milliseconds, no two the same.</summary>
    public static DateTimeOffset Now
    {
        get
        {
            lock (Clock)
            {
                var now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
                return _last = now > _last ? now : _last.AddMilliseconds(1);
            }
        }
    }

    public string Name { get; }

    public string Key { get; }

    /// <summary>Registers a sensor.</summary>
    public static async Task<Device> RegisterAsync(RunningInventory shop, string name, string setup)
    {
        using var answer = await shop.Instance.SendAsync(HttpMethod.Put, $"/api/ops/sensors/{name}", setup, TestTokens.Operator());
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var registered = await answer.JsonAsync();
        Assert.Equal(name, registered.GetProperty("sensor").GetString());
        return new(shop, name, registered.GetProperty("key").GetString()!, setup.Contains("weight", StringComparison.Ordinal) ? "weightGrams" : "celsius");
    }

    /// <summary>Sends readings, all of which are taken, to one of the instances.</summary>
    public async Task SendAsync(params (DateTimeOffset At, double Value)[] readings)
    {
        using var answer = await PostUntilTakenAsync(_shop.Instances[readings.Length % _shop.Instances.Count], Key, readings);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal($$"""{"accepted":{{readings.Length}},"refused":[]}""", (await answer.JsonAsync()).GetRawText());
    }

    /// <summary>The status of sending a reading.</summary>
    public async Task<HttpStatusCode> StatusAsync(InventoryApi instance, string? key, params (DateTimeOffset At, double Value)[] readings)
    {
        using var answer = await PostUntilTakenAsync(instance, key, readings);
        return answer.StatusCode;
    }

    /// <summary>Sends a body.</summary>
    public static async Task<HttpResponseMessage> PostAsync(InventoryApi instance, string sensor, string? key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/devices/{sensor}/readings") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("X-Device-Key", key);
        return await instance.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>What cannot be taken at the moment is kept and sent again, as a device does: a broker on a busy machine is slow at times.</summary>
    private async Task<HttpResponseMessage> PostUntilTakenAsync(InventoryApi instance, string? key, (DateTimeOffset At, double Value)[] readings)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var answer = await PostAsync(instance, Name, key, BodyOf(readings));
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || waited.Elapsed > Eventually.DefaultDeadline)
                return answer;
            var pause = answer.Headers.RetryAfter!.Delta!.Value;
            answer.Dispose();
            await Task.Delay(pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The sensor in the operators' list.</summary>
    public async Task<JsonElement> ItemAsync()
    {
        using var answer = await _shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/sensors?limit=1000", null, TestTokens.Operator());
        return (await answer.JsonAsync()).GetProperty("items").EnumerateArray().Single(item => item.GetProperty("sensor").GetString() == Name);
    }

    private string BodyOf((DateTimeOffset At, double Value)[] readings) => $"[{string.Join(',', readings.Select(reading =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"at":"{{reading.At:O}}","{{_member}}":{{reading.Value}}}""")))}]";
}
