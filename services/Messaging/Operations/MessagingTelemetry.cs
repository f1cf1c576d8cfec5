using System.Diagnostics;
using System.Diagnostics.Metrics;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;

namespace Shop.Messaging.Operations;

/// <summary>Spans and metrics of the messaging core. Source of the names: OpenTelemetry's semantic conventions for messaging, 1.38; what they lack begins with <c>shop.</c></summary>
internal static class MessagingTelemetry
{
    /// <summary>The name of the source of spans and of the meter.</summary>
    public const string Name = "Shop.Messaging";

    public static readonly Meter Meter = new(Name);

    private static readonly ActivitySource Source = new(Name);

    private static readonly Counter<long> SentMessages = Meter.CreateCounter<long>(
        "messaging.client.sent.messages", "{message}", "Events that the broker acknowledged or refused");

    private static readonly Histogram<double> SendDuration = Meter.CreateHistogram<double>(
        "messaging.client.operation.duration", "s", "Time from handing an event to the producer until the broker's answer");

    private static readonly Counter<long> ConsumedMessages = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages", "{message}", "Records whose effect, or whose being skipped, is committed");

    private static readonly Histogram<double> ProcessDuration = Meter.CreateHistogram<double>(
        "messaging.process.duration", "s", "Time that the handlers of one event take, without the database's share, which a batch pays once");

    private static readonly Counter<long> RetriedBatches = Meter.CreateCounter<long>(
        "shop.messaging.batch.retries", "{retry}", "Batches that were rolled back for something that passes, and tried again");

    private static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>(
        "shop.messaging.batch.size", "{record}", "Records that shared one transaction");

    private static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>(
        "shop.messaging.batch.duration", "s", "Time of a batch's transaction, from its begin to its commit");

    /// <summary>Whether somebody measures handlers.</summary>
    public static bool MeasuresProcessing => ProcessDuration.Enabled;

    /// <summary>The broker has answered.</summary>
    /// <param name="topic">The event's topic.</param>
    /// <param name="started">Timestamp (<see cref="Stopwatch"/>) when it was handed to the producer.</param>
    /// <param name="error">What the broker said, if it refused.</param>
    public static void Sent(string topic, long started, string? error)
    {
        if (!SentMessages.Enabled && !SendDuration.Enabled)
            return;
        var tags = new TagList { { "messaging.system", "kafka" }, { "messaging.operation.name", "send" }, { "messaging.destination.name", topic } };
        if (error is not null)
            tags.Add("error.type", error);
        SentMessages.Add(1, tags);
        SendDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tags);
    }

    /// <summary>An event's handlers have returned.</summary>
    public static void Processed(ConsumedRecord record, string endpoint, long started) => ProcessDuration.Record(
        Stopwatch.GetElapsedTime(started).TotalSeconds,
        new("messaging.destination.name", record.Topic), new("messaging.consumer.group.name", endpoint), new("cloudevents.event_type", record.Event.Type));

    /// <summary>A batch is committed.</summary>
    public static void Committed(string endpoint, int records, long started)
    {
        var group = new KeyValuePair<string, object?>("messaging.consumer.group.name", endpoint);
        ConsumedMessages.Add(records, group);
        BatchSize.Record(records, group);
        BatchDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, group);
    }

    /// <summary>A batch is tried again.</summary>
    public static void Retried(string endpoint, Exception cause) => RetriedBatches.Add(1,
        new("messaging.consumer.group.name", endpoint), new("error.type", cause is PostgresException { SqlState: var state } ? state : cause.GetType().Name));

    /// <summary>Starts the span in which an event is sent to Kafka, as a child of the one it was published in; it is not made the current one.</summary>
    public static Activity? StartSend(string topic, string key, CloudEvent attributes)
    {
        if (!Source.HasListeners())
            return null;
        ActivityContext.TryParse(attributes.TraceParent, null, isRemote: true, out var parent);
        var current = Activity.Current;
        var activity = Source.StartActivity($"send {topic}", ActivityKind.Producer, parent, Tags("send", topic, key, attributes));
        Activity.Current = current;
        return activity;
    }

    /// <summary>Starts the span in which a record is handled, as a child of the one it was sent in.</summary>
    public static Activity? StartProcess(ConsumedRecord record, string endpoint)
    {
        if (!Source.HasListeners())
            return null;
        ActivityContext.TryParse(record.Event.TraceParent, null, isRemote: true, out var parent);
        return Source.StartActivity($"process {record.Topic}", ActivityKind.Consumer, parent,
        [
            .. Tags("process", record.Topic, record.Key, record.Event),
            new("messaging.consumer.group.name", endpoint),
            new("messaging.destination.partition.id", record.Partition.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            new("messaging.kafka.offset", record.Offset),
        ]);
    }

    /// <summary>
    /// Starts the span in which a batch is handled, with everything that the database does for it. A batch of one record is part of the trace
    /// that this was sent in; one of several is a trace of its own, with a link to each. What an endpoint handles by the batch always is:
    /// it only looks on, and a trace must not have it or not as the batches happen to fall: where an operator has it handled again, it is part of
    /// the operator's trace.
    /// </summary>
    public static Activity? StartProcessBatch(IEnumerable<ConsumedRecord> records, EndpointOptions endpoint)
    {
        if (!Source.HasListeners())
            return null;
        var count = 0;
        var links = new List<ActivityLink>();
        foreach (var record in records)
        {
            count++;
            if (ActivityContext.TryParse(record.TraceParent, null, isRemote: true, out var sent))
                links.Add(new(sent));
        }
        var isOne = endpoint.BatchHandler is null && count == 1 && links.Count == 1;
        return Source.StartActivity($"process {endpoint.Name}", ActivityKind.Consumer, isOne ? links[0].Context : default,
        [
            new("messaging.system", "kafka"),
            new("messaging.operation.name", "process"),
            new("messaging.operation.type", "process"),
            new("messaging.consumer.group.name", endpoint.Name),
            new("messaging.batch.message_count", count),
        ], isOne ? null : links);
    }

    /// <summary>Has what is logged until it is disposed of belong to a trace, whether or not anybody collects traces; null where there is none.</summary>
    public static Activity? StartIn(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var sent) ? new Activity("dead letter").SetParentId(sent.TraceId, sent.SpanId, sent.TraceFlags).Start() : null;

    private static KeyValuePair<string, object?>[] Tags(string operation, string topic, string key, CloudEvent attributes) =>
    [
        new("messaging.system", "kafka"),
        new("messaging.operation.name", operation),
        new("messaging.operation.type", operation),
        new("messaging.destination.name", topic),
        new("messaging.kafka.message.key", key),
        new("messaging.message.id", attributes.Id.ToString()),
        new("cloudevents.event_type", attributes.Type),
    ];
}
