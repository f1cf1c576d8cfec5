using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using MassTransit.Middleware;
using Npgsql;
using Shop.Messaging.Events;

namespace Shop.Messaging.Outbox;

/// <summary>
/// The events that a unit of work publishes or schedules; they are written with its changes, in the same transaction.
/// One instance a scope; used by one thread at a time, as the scope's DbContext is.
/// </summary>
public sealed class TransactionalOutbox : OutboxSendContext
{
    private readonly EventTypes _eventTypes;
    private readonly TimeProvider _time;
    private readonly OutboxSignal _signal;
    private readonly IServiceProvider _services;
    private readonly string _source;
    private readonly List<OutboxMessage> _messages = [];
    private readonly List<ScheduledMessage> _scheduled = [];
    private readonly List<Guid> _cancelled = [];
    private readonly List<Action> _whenCommitted = [];
    private bool _written;
    private int _writtenShards;

    internal TransactionalOutbox(EventTypes eventTypes, string source, TimeProvider time, OutboxSignal signal, IServiceProvider services)
    {
        _eventTypes = eventTypes;
        _source = source;
        _time = time;
        _signal = signal;
        _services = services;
    }

    /// <summary>The event that is being handled: what is published now is caused by it.</summary>
    internal CloudEvent? Cause { get; set; }

    internal bool HasWork => _messages.Count + _scheduled.Count + _cancelled.Count > 0;

    private string? TraceParent => Activity.Current?.Id ?? Cause?.TraceParent;

    /// <summary>Publishes <paramref name="event"/> when the scope's changes are saved.</summary>
    /// <exception cref="InvalidOperationException">The service does not produce the event's topic, or the event is larger than <see cref="OutboxMessage.MaxBodyBytes"/>.</exception>
    public void Publish(object @event) => _messages.Add(MessageOf(@event, Cause?.Id, TraceParent));

    /// <summary>Publishes <paramref name="event"/> with a cause that is not the event being handled.</summary>
    internal void Publish(object @event, Guid causationId, string? traceParent) =>
        _messages.Add(MessageOf(@event, causationId, traceParent));

    /// <summary>Schedules <paramref name="event"/> to be published at <paramref name="due"/>, unless it is cancelled before.</summary>
    /// <returns>The token that cancels it.</returns>
    internal Guid Schedule(object @event, DateTimeOffset due)
    {
        var token = Guid.CreateVersion7();
        _scheduled.Add(new(token, due, MessageOf(@event, Cause?.Id, TraceParent)));
        return token;
    }

    /// <summary>Cancels what was scheduled under <paramref name="token"/>; nothing happens where it was published already.</summary>
    internal void CancelScheduled(Guid token)
    {
        if (_scheduled.RemoveAll(message => message.Token == token) == 0)
            _cancelled.Add(token);
    }

    /// <summary>
    /// Has <paramref name="action"/> done when the transaction of what is published has committed, and never where it is rolled back: for what
    /// the process notes of it, such as a metric.
    /// </summary>
    public void WhenCommitted(Action action) => _whenCommitted.Add(action);

    /// <summary>Called by MassTransit for everything that a consumer or state machine publishes.</summary>
    Task OutboxSendContext.AddSend<T>(SendContext<T> context)
    {
        Publish(context.Message);
        return Task.CompletedTask;
    }

    object? IServiceProvider.GetService(Type serviceType) => _services.GetService(serviceType);

    /// <summary>Writes everything published so far, in one round trip, on the transaction of the change, or as one of its own.</summary>
    internal async Task WriteAsync(NpgsqlConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, (NpgsqlTransaction?)transaction);
        if (_messages.Count > 0)
            batch.BatchCommands.Add(OutboxTable.Insert(_messages));
        if (_scheduled.Count > 0)
            batch.BatchCommands.Add(ScheduledMessages.Insert(_scheduled));
        if (_cancelled.Count > 0)
            batch.BatchCommands.Add(ScheduledMessages.Delete(_cancelled));
        await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        _written = true;
        foreach (var message in _messages)
            _writtenShards |= 1 << message.Shard;
        _messages.Clear();
        _scheduled.Clear();
        _cancelled.Clear();
    }

    /// <summary>The transaction has committed: the relay of this process is told that there is work, where there is some.</summary>
    internal void Committed()
    {
        foreach (var action in _whenCommitted)
            action();
        _whenCommitted.Clear();
        if (_written)
            _signal.Set(_writtenShards);
        _written = false;
        _writtenShards = 0;
    }

    private OutboxMessage MessageOf(object @event, Guid? causationId, string? traceParent)
    {
        var type = _eventTypes.Produced(@event.GetType());
        var body = JsonSerializer.SerializeToUtf8Bytes(@event, type.Json);
        if (body.Length > OutboxMessage.MaxBodyBytes)
            throw new InvalidOperationException($"{type.Name} has {body.Length} bytes; at most {OutboxMessage.MaxBodyBytes} can be published");
        var (key, now) = (type.KeyOf(@event), _time.GetUtcNow());
        return new(0, type.Topic.Name, key, new(Guid.CreateVersion7(now), type.Name, _source, now, key, causationId, traceParent), body);
    }
}
