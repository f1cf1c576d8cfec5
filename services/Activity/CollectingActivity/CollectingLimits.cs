using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Shop.ServiceDefaults;

namespace Shop.Activity.CollectingActivity;

/// <summary>
/// Bounds how many events one address, and all of them, may send. By address rather than by visitor: a bot that forgets its cookie is a new
/// visitor each time. Events are counted, not requests.
/// </summary>
internal sealed class CollectingLimits(IOptions<CollectingOptions> options) : IDisposable
{
    /// <summary>Seconds' worth of events that may come at once.</summary>
    private const int Burst = 10;

    private readonly PartitionedRateLimiter<IPAddress> _byAddress =
        PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => RateLimitPartition.GetTokenBucketLimiter(address, _ => Bucket(options.Value.EventsPerAddress)));

    private readonly TokenBucketRateLimiter _all = new(Bucket(options.Value.EventsPerInstance));

    /// <summary>Takes <paramref name="events"/> events of an address, or none of them.</summary>
    public bool TryTake(IPAddress address, int events)
    {
        using var one = _byAddress.AttemptAcquire(ClientNetworks.NetworkOf(address), Math.Min(events, options.Value.EventsPerAddress * Burst));
        if (!one.IsAcquired)
            return false;
        using var all = _all.AttemptAcquire(Math.Min(events, options.Value.EventsPerInstance * Burst));
        return all.IsAcquired;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _byAddress.Dispose();
        _all.Dispose();
    }

    private static TokenBucketRateLimiterOptions Bucket(int eventsPerSecond) => new()
    {
        TokenLimit = eventsPerSecond * Burst,
        TokensPerPeriod = Math.Max(1, eventsPerSecond / 10),
        ReplenishmentPeriod = TimeSpan.FromSeconds(eventsPerSecond >= 10 ? 0.1 : 1.0 / eventsPerSecond),
        QueueLimit = 0,
    };
}
