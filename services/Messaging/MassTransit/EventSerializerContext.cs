using System.Diagnostics.CodeAnalysis;
using MassTransit;
using MassTransit.Serialization;

namespace Shop.Messaging.MassTransit;

/// <summary>Hands MassTransit an event that is already deserialised (by source-generated metadata, from plain JSON).</summary>
internal sealed class EventSerializerContext(object message, MessageContext context)
    : BaseSerializerContext(SystemTextJsonMessageSerializer.Instance, context, MessageTypeNames(message.GetType()))
{
    public override bool IsSupportedMessageType<T>() => message is T;

    public override bool IsSupportedMessageType(Type messageType) => messageType.IsInstanceOfType(message);

    public override bool TryGetMessage<T>([NotNullWhen(true)] out T? supported) where T : class
    {
        supported = message as T;
        return supported is not null;
    }

    public override bool TryGetMessage(Type messageType, [NotNullWhen(true)] out object? supported)
    {
        supported = messageType.IsInstanceOfType(message) ? message : null;
        return supported is not null;
    }

    public override IMessageSerializer GetMessageSerializer() => throw NotSent();

    public override IMessageSerializer GetMessageSerializer<T>(MessageEnvelope envelope, T overlay) => throw NotSent();

    public override IMessageSerializer GetMessageSerializer(object overlay, string[] messageTypes) => throw NotSent();

    public override Dictionary<string, object> ToDictionary<T>(T? value) where T : class => [];

    private static string[] MessageTypeNames(Type type) => MessageTypeCache.GetMessageTypeNames(type);

    /// <summary>Nothing is sent by MassTransit itself: publishes end in the outbox before they are serialised.</summary>
    private static NotSupportedException NotSent() => new("Messages are published through the outbox");
}
