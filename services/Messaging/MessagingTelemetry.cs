using System.Diagnostics;

namespace Shop.Messaging;

/// <summary>Spans of the messaging core, after OpenTelemetry's messaging conventions.</summary>
internal static class MessagingTelemetry
{
    private static readonly ActivitySource Source = new("Shop.Messaging");

    /// <summary>Starts the span in which an event is sent to Kafka, as a child of the one it was published in; it is not made the current one.</summary>
    public static Activity? StartSend(string topic, string key, CloudEvent attributes)
    {
        if (!Source.HasListeners())
            return null;
        ActivityContext.TryParse(attributes.TraceParent, null, isRemote: true, out var parent);
        var current = Activity.Current;
        var activity = Source.StartActivity($"send {topic}", ActivityKind.Producer, parent,
        [
            new("messaging.system", "kafka"),
            new("messaging.operation.type", "send"),
            new("messaging.destination.name", topic),
            new("messaging.kafka.message.key", key),
            new("messaging.message.id", attributes.Id),
            new("cloudevents.event_type", attributes.Type),
        ]);
        Activity.Current = current;
        return activity;
    }

    /// <summary>Starts the span in which a record is handled, as a child of the one it was published in.</summary>
    public static Activity? StartProcess(ConsumedRecord record, string endpoint)
    {
        if (!Source.HasListeners())
            return null;
        ActivityContext.TryParse(record.Event.TraceParent, null, isRemote: true, out var parent);
        return Source.StartActivity($"process {record.Topic}", ActivityKind.Consumer, parent,
        [
            new("messaging.system", "kafka"),
            new("messaging.operation.type", "process"),
            new("messaging.destination.name", record.Topic),
            new("messaging.consumer.group.name", endpoint),
            new("messaging.kafka.message.key", record.Key),
            new("messaging.message.id", record.Event.Id),
            new("cloudevents.event_type", record.Event.Type),
        ]);
    }
}
