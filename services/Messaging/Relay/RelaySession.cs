using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Npgsql;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.Relay;

/// <summary>
/// One PostgreSQL session and one producer, from their start to the first failure. Reading, producing and deleting overlap: rows
/// on their way are left out of the next read, and leave the outbox when the broker has acknowledged them.
/// </summary>
/// <remarks>
/// <para>Every read begins at the lowest id, because a transaction that took a lower id may commit after one that took a higher.
/// Of one key that cannot be: its writers wait for each other, so what is read in id order is in the key's order.</para>
/// <para>An event that is too large for its topic never reaches the broker. Any other that cannot be produced ends the session, with
/// the producer's gapless guarantee; <see cref="RefusedEvents.SortOutAsync"/> then finds the culprits.</para>
/// </remarks>
internal sealed class RelaySession(NpgsqlConnection connection, IProducer<byte[], byte[]> producer, NpgsqlDataSource dataSource, OutboxSignal signal,
    RefusedEvents refused, TopicLimits limits, string source, int batchSize, TimeProvider time)
{
    /// <summary>Reads whose rows may be on their way at once; their bytes are bounded by the producer's own queue.</summary>
    private const int MaxReadsInFlight = 2;

    /// <summary>The net under the signals: scheduled messages that became due, shards to take over, keys that an operator let go.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan BalanceInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ScheduleInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>After so long without an answer of the broker the shards are left to other instances, which may reach it.</summary>
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan QueueFullDelay = TimeSpan.FromMilliseconds(2);

    private readonly ShardLeases _leases = new(connection);
    private readonly RelayNotifications _peers = new(dataSource, signal);
    private readonly ConcurrentQueue<FailedEvent> _failures = new();

    /// <summary>Keys of events that were too large, in the batch at hand: their later rows were read before that.</summary>
    private readonly HashSet<(string Topic, string Key)> _heldKeys = [];

    /// <summary>Rows of the batch at hand that a refused event holds back.</summary>
    private readonly List<(long Id, long RefusedId)> _heldBack = [];

    private long _renewedAt = time.GetTimestamp();

    /// <summary>Relays until something fails, which is thrown.</summary>
    /// <param name="suspects">Rows that an earlier session could not produce.</param>
    /// <param name="cancellationToken">Cancelled when the service stops.</param>
    /// <exception cref="EventsNotProducedException">Events could not be produced.</exception>
    public async Task RunAsync(IReadOnlyList<FailedEvent> suspects, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task? listening = null;
        var inFlight = new InFlightMessages(dataSource);
        try
        {
            await _leases.JoinAsync(cancellationToken);
            await _leases.BalanceAsync(cancellationToken);
            await refused.SortOutAsync(connection, _leases.Shards, suspects, limits, cancellationToken);
            await using var read = await PrepareReadAsync(cancellationToken);
            var scheduledAt = 0L;
            while (true)
            {
                if (time.GetElapsedTime(_renewedAt) > BalanceInterval)
                {
                    _renewedAt = time.GetTimestamp();
                    await BalanceAsync(inFlight, cancellationToken);
                    if (_leases.Instances > 1 && listening is not { IsCompleted: false })
                        listening = _peers.ListenAsync(ended.Token);
                }
                if (scheduledAt == 0 || time.GetElapsedTime(scheduledAt) > ScheduleInterval)
                {
                    scheduledAt = time.GetTimestamp();
                    await MoveDueMessagesAsync(cancellationToken);
                }
                if ((signal.TakeShards() & ~_leases.Mask) != 0 && _leases.Instances > 1)
                    await _peers.NotifyAsync(cancellationToken);
                var count = _leases.Shards.Length == 0 ? 0 : await ReadAndProduceAsync(read, inFlight, cancellationToken);
                ThrowIfFailed(inFlight);
                await WaitForDeletionsAsync(inFlight, (MaxReadsInFlight - 1) * batchSize, cancellationToken);
                if (count < batchSize)
                    await signal.WaitAsync(PollInterval, cancellationToken);
                ThrowIfFailed(inFlight);
            }
        }
        finally
        {
            await ended.CancelAsync();
            // a service that stops gives the broker a moment to answer: what is not deleted is published again by the next
            if (cancellationToken.IsCancellationRequested)
                await inFlight.WaitUntilEmptyAsync(StopTimeout);
            await inFlight.CompleteAsync();
            await _leases.LeaveAsync();
            if (listening is not null)
                await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<NpgsqlCommand> PrepareReadAsync(CancellationToken cancellationToken)
    {
        await using (var settings = new NpgsqlCommand(OutboxTable.ReadSettings, connection))
            await settings.ExecuteNonQueryAsync(cancellationToken);
        var read = OutboxTable.ReadShards(connection, batchSize);
        await read.PrepareAsync(cancellationToken);
        return read;
    }

    private async Task BalanceAsync(InFlightMessages inFlight, CancellationToken cancellationToken)
    {
        await _leases.BalanceAsync(cancellationToken);
        if (!_leases.HasSurplus)
            return;
        await WaitForDeletionsAsync(inFlight, 0, cancellationToken);
        await _leases.ReleaseSurplusAsync(cancellationToken);
    }

    /// <summary>Waits until so few messages are on their way; the leases are renewed meanwhile, however long the broker takes.</summary>
    private async Task WaitForDeletionsAsync(InFlightMessages inFlight, int most, CancellationToken cancellationToken)
    {
        while (inFlight.Count > most)
        {
            await inFlight.WaitForDeletionAsync(PollInterval, cancellationToken);
            if (time.GetElapsedTime(_renewedAt) > BalanceInterval)
            {
                _renewedAt = time.GetTimestamp();
                await _leases.RenewAsync(cancellationToken);
            }
            ThrowIfFailed(inFlight);
        }
    }

    private async Task MoveDueMessagesAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { ScheduledMessages.MoveDueToOutbox(time.GetUtcNow()) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<int> ReadAndProduceAsync(NpgsqlCommand read, InFlightMessages inFlight, CancellationToken cancellationToken)
    {
        ((NpgsqlParameter<short[]>)read.Parameters[0]).TypedValue = _leases.Shards;
        ((NpgsqlParameter<long[]>)read.Parameters[1]).TypedValue = inFlight.Ids;
        _heldKeys.Clear();
        _heldBack.Clear();
        var count = 0;
        await using (var reader = await read.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                count++;
                var message = OutboxTable.Read(reader, source);
                if (OutboxTable.RefusedId(reader) is { } refusedId)
                    _heldBack.Add((message.Id, refusedId));
                else if (!_heldKeys.Contains((message.Topic, message.Key)))
                    await ProduceAsync(message, inFlight, cancellationToken);
            }
        }
        if (_heldBack.Count > 0)
            await HeldMessages.MoveFromOutboxAsync(connection, _heldBack, cancellationToken);
        return count;
    }

    private async ValueTask ProduceAsync(OutboxMessage message, InFlightMessages inFlight, CancellationToken cancellationToken)
    {
        var activity = MessagingTelemetry.StartSend(message.Topic, message.Key, message.Event);
        var record = message.ToRecord(activity?.Id ?? message.Event.TraceParent);
        if (!await limits.AllowsAsync(message.Topic, record, record.Value.Length))
        {
            await HoldAsync(message, new Error(ErrorCode.MsgSizeTooLarge, "The event is larger than its topic's max.message.bytes"), activity, cancellationToken);
            return;
        }
        inFlight.Add(message.Id);
        var delivery = new Delivery(message.Id, message.Topic, inFlight, this, activity);
        while (true)
        {
            try
            {
                producer.Produce(message.Topic, record, delivery.Report);
                return;
            }
            catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                await Task.Delay(QueueFullDelay, cancellationToken);
            }
            catch (ProduceException<byte[], byte[]> e) when (RefusedEvents.IsRefusal(e.Error))
            {
                await HoldAsync(message, e.Error, activity, cancellationToken);
                inFlight.Remove(message.Id);
                return;
            }
        }
    }

    private Task HoldAsync(OutboxMessage message, Error error, Activity? activity, CancellationToken cancellationToken)
    {
        activity?.SetStatus(ActivityStatusCode.Error, error.Reason).Dispose();
        _heldKeys.Add((message.Topic, message.Key));
        return refused.HoldAsync(message, error, cancellationToken);
    }

    private void ThrowIfFailed(InFlightMessages inFlight)
    {
        if (!_failures.IsEmpty)
            throw new EventsNotProducedException([.. _failures]);
        if (inFlight.StalledFor > StallTimeout && _leases.Instances > 1)
            throw new TimeoutException($"The broker has not answered for {inFlight.StalledFor.TotalSeconds:0} s: the shards are left to the other instances");
        if (inFlight.Deleting.IsFaulted)
            throw inFlight.Deleting.Exception.GetBaseException();
    }

    private void Failed(long id, Error error)
    {
        _failures.Enqueue(new(id, error));
        signal.Set();
    }

    /// <summary>What becomes of one event; reported on the producer's own thread.</summary>
    private sealed class Delivery(long id, string topic, InFlightMessages inFlight, RelaySession session, Activity? activity)
    {
        private readonly long _started = Stopwatch.GetTimestamp();

        public void Report(DeliveryReport<byte[], byte[]> report)
        {
            var error = report.Error.IsError ? report.Error : null;
            MessagingTelemetry.Sent(topic, _started, error?.Code.ToString());
            if (error is null)
            {
                inFlight.Acknowledge(id);
            }
            else
            {
                activity?.SetStatus(ActivityStatusCode.Error, error.Reason);
                session.Failed(id, error);
            }
            activity?.Dispose();
        }
    }
}

/// <summary>An event that could not be produced.</summary>
/// <param name="Id">Its row in the outbox.</param>
/// <param name="Error">What the broker or the client said.</param>
internal readonly record struct FailedEvent(long Id, Error Error);

/// <summary>Events could not be produced; they are still in the outbox.</summary>
internal sealed class EventsNotProducedException(IReadOnlyList<FailedEvent> failures)
    : Exception($"{failures.Count} events could not be produced: {failures[0].Error.Reason}")
{
    public IReadOnlyList<FailedEvent> Failures { get; } = failures;
}
