using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using MassTransit.Middleware;
using Npgsql;

namespace Shop.Messaging;

/// <summary>
/// The events and timeouts that a unit of work publishes; they are written with its changes, in the same transaction.
/// One instance a scope; used by one thread at a time, as the scope's DbContext is.
/// </summary>
public sealed class Outbox : OutboxSendContext
{
    private readonly EventTypes _eventTypes;
    private readonly TimeProvider _time;
    private readonly OutboxSignal _signal;
    private readonly IServiceProvider _services;
    private readonly List<OutboxRow> _rows = [];
    private readonly List<(Guid Token, DateTimeOffset Due, OutboxRow Row)> _timeouts = [];
    private readonly List<Guid> _cancelledTimeouts = [];
    private bool _written;
    private int _writtenShards;

    internal Outbox(EventTypes eventTypes, TimeProvider time, OutboxSignal signal, IServiceProvider services)
    {
        _eventTypes = eventTypes;
        _time = time;
        _signal = signal;
        _services = services;
    }

    /// <summary>The event that is being handled: what is published now is caused by it.</summary>
    internal CloudEvent? Cause { get; set; }

    internal bool HasWork => _rows.Count + _timeouts.Count + _cancelledTimeouts.Count > 0;

    /// <summary>Publishes <paramref name="event"/> when the scope's changes are saved.</summary>
    /// <exception cref="InvalidOperationException">The service does not produce the event's topic, or the event is larger than <see cref="OutboxRow.MaxBodyBytes"/>.</exception>
    public void Publish(object @event) => _rows.Add(RowOf(@event));

    /// <summary>Publishes <paramref name="event"/> with a cause that is not the event being handled.</summary>
    internal void Publish(object @event, Guid causationId, string? traceParent) =>
        _rows.Add(RowOf(@event) with { CausationId = causationId, TraceParent = traceParent });

    /// <summary>Schedules <paramref name="event"/> to be published at <paramref name="due"/>, unless it is cancelled before.</summary>
    /// <returns>The token that cancels it.</returns>
    internal Guid Schedule(object @event, DateTimeOffset due)
    {
        var token = Guid.CreateVersion7();
        _timeouts.Add((token, due, RowOf(@event)));
        return token;
    }

    /// <summary>Cancels what was scheduled under <paramref name="token"/>; nothing happens where it was published already.</summary>
    internal void CancelScheduled(Guid token)
    {
        if (_timeouts.RemoveAll(timeout => timeout.Token == token) == 0)
            _cancelledTimeouts.Add(token);
    }

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
        if (_rows.Count > 0)
            batch.BatchCommands.Add(OutboxRow.Insert(_rows));
        if (_timeouts.Count > 0)
            batch.BatchCommands.Add(TimeoutRows.Insert(_timeouts));
        if (_cancelledTimeouts.Count > 0)
            batch.BatchCommands.Add(TimeoutRows.Delete(_cancelledTimeouts));
        // prepared once a session; not the deletion, whose plan would outlive the size that the table had when it was made
        if (_cancelledTimeouts.Count == 0)
            await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        _written = true;
        foreach (var row in _rows)
            _writtenShards |= 1 << row.Shard;
        _rows.Clear();
        _timeouts.Clear();
        _cancelledTimeouts.Clear();
    }

    /// <summary>Tells the relay of this process that there is work, where the transaction that has committed wrote some.</summary>
    internal void Committed()
    {
        if (_written)
            _signal.Set(_writtenShards);
        _written = false;
        _writtenShards = 0;
    }

    private OutboxRow RowOf(object @event)
    {
        var type = _eventTypes.Produced(@event.GetType());
        var body = JsonSerializer.SerializeToUtf8Bytes(@event, type.Json);
        if (body.Length > OutboxRow.MaxBodyBytes)
            throw new InvalidOperationException($"{type.Name} has {body.Length} bytes; at most {OutboxRow.MaxBodyBytes} can be published");
        return new(type.Topic.Name, type.KeyOf(@event), Guid.CreateVersion7(_time.GetUtcNow()), type.Name, _time.GetUtcNow(),
            Cause?.Id, Activity.Current?.Id ?? Cause?.TraceParent, body);
    }
}
