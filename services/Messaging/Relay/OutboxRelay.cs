using Confluent.Kafka;
using Npgsql;
using Shop.Messaging.Kafka;
using Shop.Messaging.Outbox;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Relay;

/// <summary>
/// Produces the outbox to Kafka, in sessions that are begun again whenever the database or the broker fails: whatever it is, the events
/// are safe in the outbox. At least once: a crash between produce and delete repeats events, which the inboxes drop.
/// </summary>
internal sealed class OutboxRelay(NpgsqlDataSource dataSource, KafkaConnection kafka, MessagingOptions options, TopicCreation topics,
    OutboxSignal signal, RefusedEvents refused, TimeProvider time, KafkaLog kafkaLog) : IWorker
{
    private IReadOnlyList<FailedEvent> _suspects = [];

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        await topics.EnsureAllAsync(stoppingToken);
        // asked before the session: no shards for an instance that cannot reach the broker, others may
        var limits = await TopicLimits.LoadAsync(kafka, [.. options.Produced.Select(topic => topic.Name)]);
        await using var connection = await dataSource.OpenConnectionAsync(stoppingToken);
        // a producer of its own for each session: what an earlier one left in flight was purged with it
        using var producer = kafkaLog.Attach(new ProducerBuilder<byte[], byte[]>(kafka.Producer(options.ServiceName, gapless: true, limits.Smallest))).Build();
        var session = new RelaySession(connection, producer, dataSource, signal, refused, limits, options.EventSource, options.MaxRelayBatch, time);
        var suspects = _suspects;
        _suspects = [];
        try
        {
            await session.RunAsync(suspects, stoppingToken);
        }
        catch (EventsNotProducedException e)
        {
            _suspects = e.Failures;
            throw;
        }
    }
}
