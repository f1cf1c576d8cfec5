using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Shop.Benchmarks.Activity;

/// <summary>Browsers of many addresses that tell Activity what their visitors do, as much as one address may at a time.</summary>
internal sealed class VisitorLoad : IDisposable
{
    private const int EventsPerRequest = 100, Addresses = 200, Connections = 16;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly byte[] Body = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Range(0, EventsPerRequest).Select(i => $$"""{"type":"ProductViewed","sku":"sku-{{i}}"}"""))}]");

    private readonly HttpClient _http;
    private long _next, _sent, _refused;

    /// <param name="activity">Where Activity listens.</param>
    public VisitorLoad(string activity) => _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = Connections, UseCookies = false }) { BaseAddress = new(activity) };

    /// <summary>Events that were accepted.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Requests that were not.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Sends so many a second, and returns when the last was answered.</summary>
    public async Task SendAsync(int eventsPerSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var (requests, total, began) = (new List<Task>(), (int)(eventsPerSecond * duration.TotalSeconds / EventsPerRequest), TimeProvider.System.GetTimestamp());
        while (requests.Count < total)
        {
            for (var due = Math.Min(total, (int)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * eventsPerSecond / EventsPerRequest) + 1); requests.Count < due;)
                requests.Add(PostAsync(cancellationToken));
            await Task.Delay(Tick, cancellationToken);
        }
        await Task.WhenAll(requests);
    }

    public void Dispose() => _http.Dispose();

    private async Task PostAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/activity") { Content = new ByteArrayContent(Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("X-Forwarded-For", string.Create(CultureInfo.InvariantCulture, $"192.0.2.{Interlocked.Increment(ref _next) % Addresses}"));
        using var answer = await _http.SendAsync(request, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.Accepted)
            Interlocked.Add(ref _sent, EventsPerRequest);
        else
            Interlocked.Increment(ref _refused);
    }
}
