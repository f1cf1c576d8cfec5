using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.ShowingFlow;

/// <summary>Puts the picture together from what the services say. Of a service that does not answer it shows what that last said, and when that was.</summary>
internal sealed class FlowReader(IProxyStateLookup proxy, ServiceAnswers services, IConfiguration configuration, TimeProvider time)
{
    /// <summary>Where Aspire's dashboard is, which the AppHost tells.</summary>
    private const string DashboardUrl = "Dashboard:Url";

    private const string Gateway = "gateway", Activity = "activity", OpenAlarms = "/api/ops/alarms?open=true&limit=200", Healthy = "Healthy", Unhealthy = "Unhealthy";

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly ConcurrentDictionary<string, (Availability State, DateTimeOffset Since)> _states = new();
    private readonly ConcurrentDictionary<string, (ServiceFlow Flow, DateTimeOffset At)> _answers = new();

    /// <summary>Asks all services.</summary>
    public async Task<ShopFlow> ReadAsync(AuthenticationHeaderValue? caller, CancellationToken cancellationToken)
    {
        var clusters = proxy.GetClusters().OrderBy(cluster => cluster.ClusterId, StringComparer.Ordinal).ToList();
        var alarms = clusters.Find(cluster => cluster.ClusterId == Activity) is { } activity
            ? services.AnyAsync(activity, OpenAlarms, caller, FlowJson.Default.CountedPage, cancellationToken)
            : Task.FromResult<CountedPage?>(null);
        var asked = await Task.WhenAll(clusters.Select(cluster => AskAsync(cluster, caller, cancellationToken)));
        var known = asked.Where(service => service.Known is not null).Select(service => (Service: service.State.Service, service.Known!.Value.Flow, service.Known.Value.At, service.IsNew)).ToList();
        var openAlarms = (await alarms)?.Items.Count;
        return new(time.GetUtcNow(),
            [new(Gateway, Availability.Up, _startedAt, 1, 1, null, null, null, null, null), .. asked.Select(service => service.State)],
            known.Exists(service => service.IsNew) ? known.Where(service => service.IsNew).All(service => service.Flow.BrokerAnswers) : null,
            [
                .. known.SelectMany(service => (service.Flow.Topics ?? []).Select(topic => (service.Service, Topic: topic, service.At)))
                    .GroupBy(published => published.Topic.Topic, StringComparer.Ordinal).OrderBy(topic => topic.Key, StringComparer.Ordinal)
                    .Select(topic => (Newest: topic.MaxBy(published => published.At), Publishers: topic.Select(published => published.Service)))
                    .Select(topic => new TopicState(topic.Newest.Topic.Topic, [.. topic.Publishers], topic.Newest.Topic.Partitions, topic.Newest.Topic.Produced, topic.Newest.Topic.LastMinute, topic.Newest.At)),
            ],
            [
                .. known.SelectMany(service => service.Flow.Groups.Select(group => new GroupState(group.Group, service.Service,
                    group.Topics.All(topic => topic.Lag is not null) ? group.Topics.Sum(topic => topic.Lag) : null, group.DeadLetters, group.Parked, group.Topics, service.At))),
            ],
            known.Sum(service => service.Flow.Outbox.Depth), known.Sum(service => service.Flow.DeadLetters), known.Sum(service => service.Flow.Outbox.Refused),
            openAlarms, configuration[DashboardUrl]);
    }

    private async Task<(ServiceState State, (ServiceFlow Flow, DateTimeOffset At)? Known, bool IsNew)> AskAsync(ClusterState cluster, AuthenticationHeaderValue? caller, CancellationToken cancellationToken)
    {
        var service = cluster.ClusterId;
        var flow = services.AnyAsync(cluster, $"/api/ops/{service}/flow", caller, FlowJson.Default.ServiceFlow, cancellationToken);
        var health = await Task.WhenAll(cluster.Destinations.Values.Select(instance => services.HealthAsync(instance, cancellationToken)));
        var ready = health.Count(instance => instance?.Status == Healthy);
        var state = ready > 0 && ready == health.Length ? Availability.Up
            : Array.TrueForAll(health, instance => instance is null) ? Availability.Away
            : Availability.Degraded;
        var now = time.GetUtcNow();
        var (_, since) = _states.AddOrUpdate(service, _ => (state, now), (_, before) => before.State == state ? before : (state, now));
        var answer = await flow;
        if (answer is not null)
            _answers[service] = (answer, now);
        var known = _answers.TryGetValue(service, out var last) ? last : ((ServiceFlow Flow, DateTimeOffset At)?)null;
        return (new(service, state, since, health.Length, ready, RemarkOf(health), known?.At, known?.Flow.Outbox, known?.Flow.DeadLetters, known?.Flow.Parked), known, answer is not null);
    }

    private static string? RemarkOf(HealthAnswer?[] health)
    {
        var remarks = health.SelectMany(instance => instance is null ? ["does not answer"] : instance.Status == Healthy ? []
            : instance.Checks.Where(check => check.Value != Healthy).Select(check => $"{check.Key}: {check.Value}").DefaultIfEmpty(Unhealthy)).Distinct().ToList();
        return remarks.Count == 0 ? null : string.Join("; ", remarks);
    }
}
