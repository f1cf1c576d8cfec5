using Microsoft.Extensions.Diagnostics.HealthChecks;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.Proxying;

/// <summary>
/// The gateway can do its work when every service has an instance that is ready. Asked only when somebody asks, and once a second at most: whoever asks the
/// gateway, which strangers may as often as they like, is no load for the services.
/// </summary>
internal sealed class ServicesHealthCheck(IProxyStateLookup proxy, IHttpClientFactory clients, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<HealthCheckResult>? _answer;
    private long _asked;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_answer is null || _answer.IsCompleted && time.GetElapsedTime(_asked) >= Kept)
                (_asked, _answer) = (time.GetTimestamp(), AskAsync());
            return _answer.WaitAsync(cancellationToken);
        }
    }

    private async Task<HealthCheckResult> AskAsync()
    {
        using var deadline = new CancellationTokenSource(Timeout);
        var answers = await Task.WhenAll(proxy.GetClusters().Select(async cluster =>
            (Service: cluster.ClusterId, Ready: await AnyReadyAsync(cluster, deadline.Token))));
        var away = answers.Where(answer => !answer.Ready).Select(answer => answer.Service).Order().ToArray();
        return away.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"not ready: {string.Join(", ", away)}");
    }

    private async Task<bool> AnyReadyAsync(ClusterState cluster, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(cluster.Destinations.Values.Select(destination =>
            IsReadyAsync(new Uri(new Uri(destination.Model.Config.Address), "/health/ready"), cancellation)));
        return answers.Contains(true);
    }

    private async Task<bool> IsReadyAsync(Uri address, CancellationToken cancellation)
    {
        try
        {
            using var response = await clients.CreateClient(nameof(ServicesHealthCheck)).GetAsync(address, cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
