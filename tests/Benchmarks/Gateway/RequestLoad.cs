using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;

namespace Shop.Benchmarks.Gateway;

/// <summary>Sends one request again and again, over connections that stay open.</summary>
internal sealed class RequestLoad : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly HttpClient _client;
    private readonly Uri _address;

    /// <param name="server">Whom it asks.</param>
    /// <param name="path">For what.</param>
    /// <param name="token">As whom; null for nobody.</param>
    public RequestLoad(Uri server, string path, AuthenticationHeaderValue? token = null)
    {
        _client = new(new SocketsHttpHandler { UseCookies = false, ActivityHeadersPropagator = null });
        _client.DefaultRequestHeaders.Authorization = token;
        _address = new(server, path);
    }

    /// <summary>So many a second for a while, whether or not the ones before are answered.</summary>
    /// <returns>The milliseconds from each request, when it was due, to its answer.</returns>
    public async Task<IReadOnlyCollection<double>> SteadyAsync(int perSecond, TimeSpan duration, CancellationToken cancellationToken)
    {
        var latencies = new ConcurrentBag<double>();
        var sent = new List<Task>();
        var clock = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(Tick);
        while (clock.Elapsed < duration && await tick.WaitForNextTickAsync(cancellationToken))
        {
            for (TimeSpan due; (due = TimeSpan.FromSeconds((double)sent.Count / perSecond)) <= clock.Elapsed;)
                sent.Add(MeasureAsync(due));
        }
        await Task.WhenAll(sent);
        return latencies;

        async Task MeasureAsync(TimeSpan due)
        {
            // the timer of this process is no part of an answer: it counts from when it was sent, unless that was late
            var from = clock.Elapsed - due < 2 * Tick ? clock.Elapsed : due;
            await AskAsync(cancellationToken);
            latencies.Add((clock.Elapsed - from).TotalMilliseconds);
        }
    }

    /// <summary>Each client asks when it has its answer.</summary>
    /// <returns>Answers a second.</returns>
    public async Task<double> AsFastAsPossibleAsync(int clients, TimeSpan duration, CancellationToken cancellationToken)
    {
        var answers = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < duration)
            {
                await AskAsync(cancellationToken);
                Interlocked.Increment(ref answers);
            }
        }, cancellationToken)));
        return answers / clock.Elapsed.TotalSeconds;
    }

    /// <summary>The latency that a fraction of them is within.</summary>
    public static double Percentile(IReadOnlyCollection<double> latencies, double fraction) => latencies.Order().ElementAt((int)(fraction * (latencies.Count - 1)));

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        using var answer = await _client.GetAsync(_address, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{_address} answered {(int)answer.StatusCode}");
    }
}
