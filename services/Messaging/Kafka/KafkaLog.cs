using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Shop.Messaging.Kafka;

/// <summary>Passes librdkafka's own messages on to the service's log.</summary>
internal static partial class KafkaLog
{
    public static void Write(ILogger logger, LogMessage message)
    {
        if (message.Level <= SyslogLevel.Warning)
            ClientMessage(logger, message.Facility, message.Message);
    }

    public static void Write(ILogger logger, Error error)
    {
        if (error.IsFatal)
            ClientFailed(logger, error.Reason);
    }

    [LoggerMessage(EventName = "KafkaClientMessage", Level = LogLevel.Debug, Message = "librdkafka {Facility}: {Text}")]
    private static partial void ClientMessage(ILogger logger, string facility, string text);

    [LoggerMessage(EventName = "KafkaClientFailed", Level = LogLevel.Error, Message = "The Kafka client failed: {Reason}")]
    private static partial void ClientFailed(ILogger logger, string reason);
}
