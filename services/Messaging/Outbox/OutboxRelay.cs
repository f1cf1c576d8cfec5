using Confluent.Kafka;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.Kafka;

namespace Shop.Messaging;

/// <summary>
/// Produces the outbox to Kafka: reads what is there in id order, produces without awaiting each, deletes what was
/// acknowledged in one statement. At least once: a crash between produce and delete repeats events, which the inboxes drop.
/// </summary>
/// <remarks>
/// A shard is relayed by one instance at a time: the one whose session holds its advisory lock. The lock ends with the
/// session, so another instance takes over as soon as PostgreSQL sees the owner gone. Rows are read on the session that
/// holds the locks: an owner that lost them cannot read on.
/// </remarks>
internal sealed partial class OutboxRelay(NpgsqlDataSource dataSource, KafkaConnection kafka, MessagingOptions options, OutboxSignal signal,
    TimeProvider time, ILogger<OutboxRelay> logger) : BackgroundService
{
    private const int BatchSize = 5_000;

    /// <summary>First half of the advisory locks' key: "outb" in ASCII.</summary>
    private const int LockClass = 0x6f757462;

    /// <summary>The net under the in-process signal: commits of other instances, timeouts that became due, shards to take over.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly string _source = $"/shop/{options.ServiceName}";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // a producer of its own for each session: what an earlier one left in flight was purged with it
                using var producer = new ProducerBuilder<byte[], byte[]>(kafka.Producer(options.ServiceName))
                    .SetLogHandler((_, message) => KafkaLog.Write(logger, message))
                    .SetErrorHandler((_, error) => KafkaLog.Write(logger, error))
                    .Build();
                await using var connection = await dataSource.OpenConnectionAsync(stoppingToken);
                await RelayAsync(connection, producer, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // whatever it is, the events are safe in the outbox and the service can go on taking requests
                RelayInterrupted(logger, e.Message);
                await Task.Delay(RetryDelay, stoppingToken);
            }
        }
    }

    private async Task RelayAsync(NpgsqlConnection connection, IProducer<byte[], byte[]> producer, CancellationToken cancellationToken)
    {
        var owned = new HashSet<short>();
        var owns = Array.Empty<short>();
        while (true)
        {
            if (owned.Count < OutboxRow.Shards && await AcquireShardsAsync(connection, owned, cancellationToken))
                owns = [.. owned];
            var rows = await ReadAsync(connection, owns, cancellationToken);
            if (rows.Count > 0)
            {
                var acknowledged = await ProduceAsync(producer, rows, cancellationToken);
                await DeleteAsync(connection, acknowledged, cancellationToken);
            }
            if (rows.Count < BatchSize)
                await signal.WaitAsync(PollInterval, cancellationToken);
        }
    }

    /// <summary>Takes the shards that nobody owns; true when there was one.</summary>
    private static async Task<bool> AcquireShardsAsync(NpgsqlConnection connection, HashSet<short> owned, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT shard FROM generate_series(0, $1 - 1) AS shard WHERE shard <> ALL($2) AND pg_try_advisory_lock($3, shard)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<int> { TypedValue = OutboxRow.Shards },
                new NpgsqlParameter<int[]> { TypedValue = [.. owned.Select(shard => (int)shard)] },
                new NpgsqlParameter<int> { TypedValue = LockClass },
            },
        };
        var before = owned.Count;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            owned.Add((short)reader.GetInt32(0));
        return owned.Count > before;
    }

    private async Task<List<(long Id, string Topic, Message<byte[], byte[]> Message)>> ReadAsync(NpgsqlConnection connection, short[] shards, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(TimeoutRows.MoveDueToOutbox(time.GetUtcNow()));
        batch.BatchCommands.Add(new("""
            SELECT id, topic, key, event_id, event_type, occurred_at, causation_id, trace_parent, scheduling_token, body
            FROM outbox WHERE shard = ANY($1) ORDER BY id LIMIT $2
            """)
        {
            Parameters = { new NpgsqlParameter<short[]> { TypedValue = shards }, new NpgsqlParameter<int> { TypedValue = BatchSize } },
        });
        var rows = new List<(long, string, Message<byte[], byte[]>)>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = reader.GetString(2);
            var occurredAt = reader.GetFieldValue<DateTimeOffset>(5);
            var attributes = new CloudEvent(reader.GetGuid(3), reader.GetString(4), _source, occurredAt, key,
                reader.IsDBNull(6) ? null : reader.GetGuid(6), reader.IsDBNull(7) ? null : reader.GetString(7),
                reader.IsDBNull(8) ? null : reader.GetGuid(8));
            rows.Add((reader.GetInt64(0), reader.GetString(1), new()
            {
                Key = System.Text.Encoding.UTF8.GetBytes(key),
                Value = reader.GetFieldValue<byte[]>(9),
                Headers = attributes.ToHeaders(),
                Timestamp = new Timestamp(occurredAt),
            }));
        }
        return rows;
    }

    /// <summary>Hands the rows to the producer in order and waits until every one has its answer.</summary>
    /// <returns>The ids of the rows that the broker acknowledged; the others stay and are tried again.</returns>
    private async Task<List<long>> ProduceAsync(IProducer<byte[], byte[]> producer, List<(long Id, string Topic, Message<byte[], byte[]> Message)> rows, CancellationToken cancellationToken)
    {
        var deliveries = new Deliveries(rows.Count);
        foreach (var (id, topic, message) in rows)
        {
            while (true)
            {
                try
                {
                    producer.Produce(topic, message, report => deliveries.Report(id, report.Error));
                    break;
                }
                catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(5), cancellationToken);
                }
                catch (ProduceException<byte[], byte[]> e) when (!e.Error.IsFatal)
                {
                    deliveries.Report(id, e.Error);
                    break;
                }
            }
        }
        await deliveries.AllReported.WaitAsync(cancellationToken);
        if (deliveries.FirstError is { } error)
        {
            if (error.IsFatal)
                throw new KafkaException(error);
            EventsNotProduced(logger, rows.Count - deliveries.Acknowledged.Count, error.Reason);
            await Task.Delay(RetryDelay, cancellationToken);
        }
        return deliveries.Acknowledged;
    }

    private static async Task DeleteAsync(NpgsqlConnection connection, List<long> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
            return;
        await using var command = new NpgsqlCommand("DELETE FROM outbox WHERE id = ANY($1)", connection)
        {
            Parameters = { new NpgsqlParameter<List<long>> { TypedValue = ids } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Collects the delivery reports of a batch; they come on the producer's own thread.</summary>
    private sealed class Deliveries(int expected)
    {
        private readonly TaskCompletionSource _allReported = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _lock = new();
        private int _reported;

        public Task AllReported => _allReported.Task;
        public List<long> Acknowledged { get; } = new(expected);
        public Error? FirstError { get; private set; }

        public void Report(long id, Error error)
        {
            lock (_lock)
            {
                if (error.IsError)
                    FirstError ??= error;
                else
                    Acknowledged.Add(id);
                if (++_reported == expected)
                    _allReported.TrySetResult();
            }
        }
    }

    [LoggerMessage(EventName = "RelayInterrupted", Level = LogLevel.Warning, Message = "The outbox relay was interrupted and starts again: {Reason}")]
    private static partial void RelayInterrupted(ILogger logger, string reason);

    [LoggerMessage(EventName = "EventsNotProduced", Level = LogLevel.Error, Message = "{Count} events could not be produced and stay in the outbox: {Reason}")]
    private static partial void EventsNotProduced(ILogger logger, int count, string reason);
}
