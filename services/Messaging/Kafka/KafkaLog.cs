using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Shop.Messaging.Kafka;

/// <summary>
/// Passes on what librdkafka says. While a broker is away it says the same again and again, each client for itself: of one kind the first is
/// a warning, and another one only when the broker has answered meanwhile, or there was nothing of it for a while.
/// </summary>
internal sealed partial class KafkaLog(TimeProvider time, ILogger<KafkaLog> logger)
{
    /// <summary>librdkafka itself keeps back what it has said within 30 s: what is quiet for much longer is over.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMinutes(2);

    /// <summary>Not all clients of a process are connected again at once.</summary>
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    /// <summary>Whatever is said of connections is one outage.</summary>
    private const string Connection = "connection";

    /// <summary>What it says of settings that are meant, each time a client is made.</summary>
    private const string Settings = "CONFWARN";

    private readonly Dictionary<string, DateTimeOffset> _saidAt = [];

    /// <summary>Whether the broker was reported as away, and has not answered since.</summary>
    public bool IsAway
    {
        get
        {
            lock (_saidAt)
                return _saidAt.ContainsKey(Connection);
        }
    }

    /// <summary>Has a consumer's messages and errors written here.</summary>
    public ConsumerBuilder<TKey, TValue> Attach<TKey, TValue>(ConsumerBuilder<TKey, TValue> builder) =>
        builder.SetLogHandler((_, message) => Write(message)).SetErrorHandler((_, error) => Write(error));

    /// <summary>Has a producer's messages and errors written here.</summary>
    public ProducerBuilder<TKey, TValue> Attach<TKey, TValue>(ProducerBuilder<TKey, TValue> builder) =>
        builder.SetLogHandler((_, message) => Write(message)).SetErrorHandler((_, error) => Write(error));

    /// <summary>Writes a line of librdkafka's log.</summary>
    public void Write(LogMessage message)
    {
        if (message.Level <= SyslogLevel.Warning && message.Facility != Settings)
            Write(message.Facility is "FAIL" or "ERROR" or "REQTMOUT" ? Connection : message.Facility, message.Message);
    }

    /// <summary>Writes an error that no call returns.</summary>
    public void Write(Error error)
    {
        if (error.IsFatal)
            ClientFailed(logger, error.Reason);
        else
            Write(IsOfConnection(error.Code) ? Connection : error.Code.ToString(), error.Reason);
    }

    /// <summary>The broker has answered somebody: an outage is over.</summary>
    public void Answered()
    {
        lock (_saidAt)
        {
            if (!_saidAt.TryGetValue(Connection, out var before) || time.GetUtcNow() - before < Settling)
                return;
            _saidAt.Remove(Connection);
        }
        BrokerAnswers(logger);
    }

    private static bool IsOfConnection(ErrorCode code) => code is ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Resolve
        or ErrorCode.Local_TimedOut or ErrorCode.Local_TimedOutQueue or ErrorCode.NetworkException or ErrorCode.BrokerNotAvailable;

    private void Write(string kind, string text)
    {
        if (IsNew(kind))
            ClientWarning(logger, kind, text);
        else
            ClientRepetition(logger, kind, text);
    }

    private bool IsNew(string kind)
    {
        lock (_saidAt)
        {
            var now = time.GetUtcNow();
            var isNew = !_saidAt.TryGetValue(kind, out var before) || now - before > Quiet;
            _saidAt[kind] = now;
            return isNew;
        }
    }

    [LoggerMessage(EventName = "KafkaClientWarning", Level = LogLevel.Warning, Message = "The Kafka client reports ({Kind}; what follows of it is not repeated): {Text}")]
    private static partial void ClientWarning(ILogger logger, string kind, string text);

    [LoggerMessage(EventName = "KafkaClientRepetition", Level = LogLevel.Debug, Message = "The Kafka client reports ({Kind}) again: {Text}")]
    private static partial void ClientRepetition(ILogger logger, string kind, string text);

    [LoggerMessage(EventName = "KafkaAnswers", Level = LogLevel.Information, Message = "Kafka answers again")]
    private static partial void BrokerAnswers(ILogger logger);

    [LoggerMessage(EventName = "KafkaClientFailed", Level = LogLevel.Error, Message = "The Kafka client failed: {Reason}")]
    private static partial void ClientFailed(ILogger logger, string reason);
}
