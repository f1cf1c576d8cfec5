using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Shop.Benchmarks.Inventory;

/// <summary>Thermometers in turn, each of which sends what it has read, ten readings a request, and keeps their connections.</summary>
internal sealed class DeviceLoad : IDisposable
{
    /// <summary>The key of all of them.</summary>
    public const string Key = "the-key-of-every-sensor-of-the-bench";

    private const int ReadingsPerRequest = 10, Connections = 32;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly HttpClient _http;
    private readonly int _sensors;
    private long _next, _sent, _refused;

    /// <param name="inventory">Where Inventory listens.</param>
    /// <param name="sensors">How many sensors there are, <c>bench-0</c> and so on.</param>
    public DeviceLoad(string inventory, int sensors)
    {
        _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = Connections }) { BaseAddress = new(inventory) };
        _http.DefaultRequestHeaders.Add("X-Device-Key", Key);
        _sensors = sensors;
    }

    /// <summary>Readings that were accepted.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Requests that were not.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Sends so many a second, whether or not those before were answered, and returns when the last one was.</summary>
    public async Task SendAsync(int readingsPerSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (requests, total) = (new List<Task>(), (int)(readingsPerSecond * duration.TotalSeconds / ReadingsPerRequest));
        var began = TimeProvider.System.GetTimestamp();
        while (requests.Count < total)
        {
            var due = Math.Min(total, (int)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * readingsPerSecond / ReadingsPerRequest) + 1);
            while (requests.Count < due)
                requests.Add(PostAsync(ReadingsPerRequest, cancellationToken));
            await Task.Delay(Tick, cancellationToken);
        }
        await Task.WhenAll(requests);
    }

    /// <summary>Has each sensor send a reading, as fast as they are taken.</summary>
    public Task SendOnceEachAsync(CancellationToken cancellationToken) =>
        Parallel.ForAsync(0, _sensors, new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = cancellationToken }, async (_, _) => await PostAsync(1, cancellationToken));

    public void Dispose() => _http.Dispose();

    private async Task PostAsync(int readings, CancellationToken cancellationToken)
    {
        var (sensor, now, body) = (Interlocked.Increment(ref _next) % _sensors, DateTime.UtcNow, new StringBuilder("["));
        for (var i = readings - 1; i >= 0; i--)
            body.Append(CultureInfo.InvariantCulture, $"{{\"at\":\"{now.AddMilliseconds(-100 * i):O}\",\"celsius\":4.{i}}}{(i == 0 ? ']' : ',')}");
        using var content = new StringContent(body.ToString(), new MediaTypeHeaderValue("application/json"));
        using var answer = await _http.PostAsync($"/api/devices/bench-{sensor}/readings", content, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.Accepted)
            Interlocked.Add(ref _sent, readings);
        else
            Interlocked.Increment(ref _refused);
    }
}
