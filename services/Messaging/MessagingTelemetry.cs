using System.Diagnostics;

namespace Shop.Messaging;

/// <summary>Spans of the messaging core, after OpenTelemetry's messaging conventions.</summary>
internal static class MessagingTelemetry
{
    private static readonly ActivitySource Source = new("Shop.Messaging");

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
