using Confluent.Kafka;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.Relay;

/// <summary>
/// Produces the outbox to Kafka, in sessions that are begun again whenever the database or the broker fails. At least once: a
/// crash between produce and delete repeats events, which the inboxes drop.
/// </summary>
internal sealed partial class OutboxRelay(NpgsqlDataSource dataSource, KafkaConnection kafka, MessagingOptions options, TopicCreation topics,
    OutboxSignal signal, RefusedEvents refused, StaleSessions staleSessions, TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // yields, so that a broker that is away does not hold up the start of the host
        await Task.Yield();
        await topics.EnsureAllAsync(stoppingToken);
        IReadOnlyList<FailedEvent> suspects = [];
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            try
            {
                // asked first: no shards for an instance that cannot reach the broker, others may
                var limits = await TopicLimits.LoadAsync(kafka, [.. options.Produced.Select(topic => topic.Name)]);
                await using var connection = await dataSource.OpenConnectionAsync(stoppingToken);
                // a producer of its own for each session: what an earlier one left in flight was purged with it
                using var producer = new ProducerBuilder<byte[], byte[]>(kafka.Producer(options.ServiceName, gapless: true, limits.Smallest))
                    .SetLogHandler((_, log) => KafkaLog.Write(logger, log)).SetErrorHandler((_, error) => KafkaLog.Write(logger, error)).Build();
                var session = new RelaySession(connection, producer, dataSource, signal, refused, limits, options.EventSource, options.MaxRelayBatch, time);
                await session.RunAsync(suspects, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // whatever it is, the events are safe in the outbox and the service can go on taking requests
            catch (Exception e)
            {
                suspects = e is EventsNotProducedException notProduced ? notProduced.Failures : [];
                staleSessions.ClearAfter(e);
                RelayInterrupted(logger, e.Message);
            }
            failures = time.GetElapsedTime(started) > LongestRetryDelay ? 0 : failures + 1;
            var delay = TimeSpan.FromTicks(Math.Min(LongestRetryDelay.Ticks, FirstRetryDelay.Ticks << Math.Min(failures, 10)));
            await Task.Delay(delay * (0.5 + Random.Shared.NextDouble() / 2), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(EventName = "RelayInterrupted", Level = LogLevel.Warning, Message = "The outbox relay was interrupted and starts again: {Reason}")]
    private static partial void RelayInterrupted(ILogger logger, string reason);
}
