using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Relay;

/// <summary>
/// Events that the broker refuses for what they are: too large for their topic, on a topic that does not exist or may not be
/// written. Such an event holds back its own key, until an operator retries or discards it.
/// </summary>
internal sealed partial class RefusedEvents(NpgsqlDataSource dataSource, KafkaConnection kafka, TopicCreation topics, EventTypes eventTypes, MessagingOptions options,
    TimeProvider time, KafkaLog kafkaLog, ILogger<RefusedEvents> logger)
{
    /// <summary>How long a missing topic is tried to be created before its events are held back.</summary>
    private static readonly TimeSpan TopicDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Whether an error is about the event, and would come again; others pass by themselves.</summary>
    public static bool IsRefusal(Error error) => IsAboutTopic(error) || error.Code is
        ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidMsgSize or ErrorCode.InvalidMsg
        or ErrorCode.InvalidTimestamp or ErrorCode.InvalidRecord or ErrorCode.PolicyViolation;

    /// <summary>
    /// Produces what an earlier session could not, one at a time, so that each is answered for itself: the innocent leave the
    /// outbox, the refused hold back their keys.
    /// </summary>
    public async Task SortOutAsync(NpgsqlConnection connection, short[] shards, IReadOnlyList<FailedEvent> suspects, TopicLimits limits, CancellationToken cancellationToken)
    {
        var refusals = suspects.Where(suspect => IsRefusal(suspect.Error)).ToList();
        if (refusals.Count == 0)
            return;
        if (refusals.Any(suspect => IsAboutTopic(suspect.Error)))
            await CreateTopicsAsync(cancellationToken);

        var messages = new List<OutboxMessage>();
        await using (var read = OutboxTable.ReadIds(connection, shards, [.. refusals.Select(suspect => suspect.Id)]))
        await using (var reader = await read.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                messages.Add(OutboxTable.Read(reader, options.EventSource));
        }
        // one event's refusal is not the end of this producer: nothing else is on its way
        using var producer = kafkaLog.Attach(new ProducerBuilder<byte[], byte[]>(kafka.Producer(options.ServiceName, gapless: false, limits.Smallest))).Build();
        var heldKeys = new HashSet<(string, string)>();
        var refusedTopics = new Dictionary<string, Error>();
        foreach (var message in messages.Where(message => !heldKeys.Contains((message.Topic, message.Key))))
        {
            var error = refusedTopics.GetValueOrDefault(message.Topic) ?? await TryAsync(producer, message, cancellationToken);
            if (error is null)
            {
                await DeleteAsync(message.Id, cancellationToken);
                continue;
            }
            heldKeys.Add((message.Topic, message.Key));
            if (IsAboutTopic(error))
                refusedTopics[message.Topic] = error;
            await HoldAsync(message, error, cancellationToken);
        }
    }

    /// <summary>Holds back the event's key.</summary>
    public async Task HoldAsync(OutboxMessage message, Error error, CancellationToken cancellationToken)
    {
        EventRefused(logger, message.Event.Type, message.Event.Id, message.Topic, message.Key, error.Reason);
        await using var command = dataSource.CreateCommand("""
            INSERT INTO refused_events (outbox_id, topic, key, error, refused_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (outbox_id) DO UPDATE SET error = excluded.error, refused_at = excluded.refused_at
            """);
        command.Parameters.Add(SqlParameter.Of(message.Id));
        command.Parameters.Add(SqlParameter.Of(message.Topic));
        command.Parameters.Add(SqlParameter.Of(message.Key));
        command.Parameters.Add(SqlParameter.Of(StorableText.Of($"{error.Code}: {error.Reason}")));
        command.Parameters.Add(SqlParameter.Of(time.GetUtcNow()));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static bool IsAboutTopic(Error error) => error.Code is
        ErrorCode.Local_UnknownTopic or ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownPartition or ErrorCode.TopicException or ErrorCode.TopicAuthorizationFailed;

    /// <summary>Null where the broker took it.</summary>
    private static async Task<Error?> TryAsync(IProducer<byte[], byte[]> producer, OutboxMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await producer.ProduceAsync(message.Topic, message.ToRecord(message.Event.TraceParent), cancellationToken);
            return null;
        }
        catch (ProduceException<byte[], byte[]> e) when (IsRefusal(e.Error))
        {
            return e.Error;
        }
    }

    private async Task CreateTopicsAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TopicDeadline);
        try
        {
            await topics.EnsureAsync(eventTypes.Topics, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // then the events of the missing topic are held back, key by key
        }
    }

    private async Task DeleteAsync(long id, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("DELETE FROM outbox WHERE id = $1");
        command.Parameters.Add(SqlParameter.Of(id));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(EventName = "EventRefused", Level = LogLevel.Error, Message = "The broker refuses {Type} {EventId} on {Topic}; its key {Key} waits for an operator: {Reason}")]
    private static partial void EventRefused(ILogger logger, string type, Guid eventId, string topic, string key, string reason);
}
