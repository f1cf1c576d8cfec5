namespace Shop.Messaging.Operations;

/// <summary>What a service publishes, what it handles, and what waits.</summary>
/// <param name="Service">The service.</param>
/// <param name="BrokerAnswers">Whether Kafka answered; without it nothing is known of <see cref="Topics"/> and of lag.</param>
/// <param name="Outbox">What is committed and not published yet.</param>
/// <param name="DeadLetters">Records that it could not handle and that wait for an operator.</param>
/// <param name="Parked">Records that wait behind them.</param>
/// <param name="Topics">The topics it publishes to; null where Kafka does not answer.</param>
/// <param name="Groups">Its consumer groups.</param>
public sealed record ServiceFlow(string Service, bool BrokerAnswers, OutboxFlow Outbox, long DeadLetters, long Parked, IReadOnlyList<TopicFlow>? Topics, IReadOnlyList<GroupFlow> Groups);

/// <summary>What is committed and not published yet.</summary>
/// <param name="Depth">Events that the broker has not acknowledged.</param>
/// <param name="OldestSeconds">The age of the oldest of them; 0 where there is none.</param>
/// <param name="Refused">Events that the broker refused.</param>
public sealed record OutboxFlow(long Depth, double OldestSeconds, long Refused);

/// <summary>A topic, whoever publishes to it.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="Partitions">Its partitions.</param>
/// <param name="Produced">Records that were ever written to it: the sum of its partitions' ends.</param>
/// <param name="LastMinute">Those of them from the last 60 seconds, by the time that they carry.</param>
public sealed record TopicFlow(string Topic, int Partitions, long Produced, long LastMinute);

/// <summary>A consumer group.</summary>
/// <param name="Group">Its name.</param>
/// <param name="DeadLetters">Records that it could not handle and that wait for an operator.</param>
/// <param name="Parked">Records that wait behind them.</param>
/// <param name="Topics">What it reads.</param>
public sealed record GroupFlow(string Group, long DeadLetters, long Parked, IReadOnlyList<ConsumedTopic> Topics);

/// <summary>How far a group is with a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Handled">The sum of the offsets up to which its partitions are handled.</param>
/// <param name="Lag">Records that are not handled yet; null where Kafka does not answer.</param>
public sealed record ConsumedTopic(string Topic, long Handled, long? Lag);
