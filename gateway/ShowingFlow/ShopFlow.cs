using System.Text.Json.Serialization;

namespace Shop.Gateway.ShowingFlow;

/// <summary>How events move through the shop.</summary>
/// <param name="At">When this was looked up.</param>
/// <param name="Services">The gateway and the services.</param>
/// <param name="BrokerAnswers">Whether Kafka answers those services that answer; null where none does.</param>
/// <param name="Topics">Topics, with who publishes to each.</param>
/// <param name="Groups">Consumer groups.</param>
/// <param name="OutboxDepth">Events that are committed and not published yet, in all services.</param>
/// <param name="DeadLetters">Records that wait for an operator, in all services.</param>
/// <param name="RefusedEvents">Events that the broker refused, in all services.</param>
/// <param name="OpenAlarms">Alarms that are not over, 200 where there are that many or more; null where Activity does not answer.</param>
/// <param name="Dashboard">Where Aspire's dashboard is; null where that is not known.</param>
public sealed record ShopFlow(DateTimeOffset At, IReadOnlyList<ServiceState> Services, bool? BrokerAnswers, IReadOnlyList<TopicState> Topics, IReadOnlyList<GroupState> Groups,
    long OutboxDepth, long DeadLetters, long RefusedEvents, int? OpenAlarms, string? Dashboard);

/// <summary>How a service is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Availability>))]
public enum Availability
{
    /// <summary>Every instance can do its work.</summary>
    [JsonStringEnumMemberName("up")]
    Up,

    /// <summary>It answers, but an instance cannot do all of its work.</summary>
    [JsonStringEnumMemberName("degraded")]
    Degraded,

    /// <summary>No instance answers.</summary>
    [JsonStringEnumMemberName("away")]
    Away,
}

/// <summary>A service.</summary>
/// <param name="Service">Its name.</param>
/// <param name="State">How it is.</param>
/// <param name="Since">Since when it is so, as far as this gateway has looked.</param>
/// <param name="Instances">Addresses at which it should be.</param>
/// <param name="Ready">Those of them that can do all of their work.</param>
/// <param name="Remark">What the instances say that cannot; null where none does.</param>
/// <param name="AsOf">When its figures were true: now, or when it last answered; null where it never did, and for the gateway, which has none.</param>
/// <param name="Outbox">What it has not published yet.</param>
/// <param name="DeadLetters">Records that it could not handle.</param>
/// <param name="Parked">Records that wait behind them.</param>
public sealed record ServiceState(string Service, Availability State, DateTimeOffset Since, int Instances, int Ready, string? Remark, DateTimeOffset? AsOf,
    OutboxState? Outbox, long? DeadLetters, long? Parked);

/// <summary>What a service has committed and not published yet.</summary>
/// <param name="Depth">Events that the broker has not acknowledged.</param>
/// <param name="OldestSeconds">The age of the oldest of them.</param>
/// <param name="Refused">Events that the broker refused.</param>
public sealed record OutboxState(long Depth, double OldestSeconds, long Refused);

/// <summary>A topic.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Publishers">The services that publish to it.</param>
/// <param name="Partitions">Its partitions.</param>
/// <param name="Produced">Records that were ever written to it.</param>
/// <param name="LastMinute">Those of them from the last 60 seconds.</param>
/// <param name="AsOf">When this was true.</param>
public sealed record TopicState(string Topic, IReadOnlyList<string> Publishers, int Partitions, long Produced, long LastMinute, DateTimeOffset AsOf);

/// <summary>A consumer group.</summary>
/// <param name="Group">Its name.</param>
/// <param name="Service">The service that it belongs to.</param>
/// <param name="Lag">Records of all its topics that are not handled yet; null where Kafka did not answer.</param>
/// <param name="DeadLetters">Records that it could not handle.</param>
/// <param name="Parked">Records that wait behind them.</param>
/// <param name="Topics">What it reads.</param>
/// <param name="AsOf">When this was true.</param>
public sealed record GroupState(string Group, string Service, long? Lag, long DeadLetters, long Parked, IReadOnlyList<ConsumedTopicState> Topics, DateTimeOffset AsOf);

/// <summary>How far a group is with a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Handled">Up to where it is handled: the sum of its partitions' offsets.</param>
/// <param name="Lag">Records that are not handled yet; null where Kafka did not answer.</param>
public sealed record ConsumedTopicState(string Topic, long Handled, long? Lag);
