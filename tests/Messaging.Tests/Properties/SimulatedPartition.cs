using System.Text.Json;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.DeadLetters;

namespace Shop.Messaging.Tests;

/// <summary>One partition's log, the two instances that read it, and an operator.</summary>
internal sealed class SimulatedPartition
{
    private readonly JournalService _service;
    private readonly TopicPartition _partition;
    private readonly Redriving _redriving;
    private readonly List<Guid> _keys = Journals.New(3);
    private readonly List<(Guid Id, Noted Noted)> _log = [];
    private readonly HashSet<int> _poisoned = [];
    private readonly HashSet<Guid> _discarded = [];
    private readonly SimulatedInstance[] _instances;

    /// <summary>Counts down the events until the fault, which then happens.</summary>
    private (int Countdown, Func<TestDb, Task> Fault)? _fault;

    private long _committedToKafka;

    public SimulatedPartition(JournalService service, int number, BatchProcessor[] processors, Redriving redriving)
    {
        _service = service;
        _partition = new(service.Notes.Name, number);
        _redriving = redriving;
        _instances = [.. processors.Select(processor => new SimulatedInstance(processor, _partition))];
    }

    /// <summary>Called in the handler.</summary>
    public async Task OnNotedAsync(Noted noted, TestDb db)
    {
        if (_fault is { } planned)
        {
            _fault = planned.Countdown > 1 ? planned with { Countdown = planned.Countdown - 1 } : null;
            if (_fault is null)
                await planned.Fault(db);
        }
        if (_poisoned.Contains(noted.Number))
            throw new InvalidOperationException("the handler is broken");
    }

    public async Task StepAsync(Step step)
    {
        _fault = null;
        switch (step)
        {
            case Step.Publish publish:
                _log.Add((Guid.CreateVersion7(), new(_keys[publish.Key], _log.Count)));
                break;
            case Step.Duplicate { Event: var number } when _log.Count > 0:
                _log.Add(_log[number % _log.Count]);
                break;
            case Step.Deliver deliver:
                await DeliverAsync(deliver.Instance, deliver.Count);
                break;
            case Step.DeliverToBoth both:
                await Task.WhenAll(DeliverAsync(0, both.Count), DeliverAsync(1, both.Count));
                break;
            case Step.CrashInBatch crash:
                await CrashAsync(crash.At, cancellationToken => DeliverAsync(crash.Instance, crash.Count, cancellationToken));
                _instances[crash.Instance].Restart(_committedToKafka);
                break;
            case Step.CrashAfterCommit crash:
                var known = _committedToKafka;
                await DeliverAsync(crash.Instance, crash.Count);
                _committedToKafka = known;
                _instances[crash.Instance].Restart(known);
                break;
            case Step.Rebalance rebalance:
                _instances[rebalance.Instance].Restart(_committedToKafka * rebalance.Percent / 100);
                break;
            case Step.Conflict conflict:
                _fault = (1, async db => await db.Database.ExecuteSqlAsync($"DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"));
                await DeliverAsync(conflict.Instance, conflict.Count);
                break;
            case Step.Poison { Event: var number } when _log.Count > 0:
                _poisoned.Add(number % _log.Count);
                break;
            case Step.Mend:
                _poisoned.Clear();
                break;
            case Step.Redrive:
                await RedriveOldestAsync(CancellationToken.None);
                break;
            case Step.CrashInRedrive crash:
                await CrashAsync(crash.At, RedriveOldestAsync);
                break;
            case Step.RedriveAndDeliver both:
                await Task.WhenAll(RedriveOldestAsync(CancellationToken.None), DeliverAsync(both.Instance, both.Count));
                break;
            case Step.Discard:
                if (await OldestAsync() is { } letter)
                {
                    if (letter.Status == "parked")
                        _discarded.Add(letter.EventId);
                    await _redriving.RedriveAsync(letter.Id, discard: true, CancellationToken.None);
                }
                break;
        }
    }

    /// <summary>Handlers are mended, both instances read to the end, and the operator redrives whatever is left.</summary>
    public async Task RestAsync()
    {
        await StepAsync(new Step.Mend());
        foreach (var instance in _instances)
        {
            while (instance.Position < _log.Count)
                await DeliverAsync(Array.IndexOf(_instances, instance), 5);
        }
        while (await OldestAsync() is { } letter)
            Assert.Equal(RedriveOutcome.Done, await _redriving.RedriveAsync(letter.Id, discard: false, CancellationToken.None));
    }

    /// <summary>A sequential run handles each event once, in the order of the log, but for those that were discarded.</summary>
    public async Task EqualsSequentialRunAsync()
    {
        var events = _log.DistinctBy(entry => entry.Id).Where(entry => !_discarded.Contains(entry.Id)).ToLookup(entry => entry.Noted.JournalId, entry => entry.Noted.Number);
        var journals = await _service.QueryAsync(db => db.Journals.Where(journal => _keys.Contains(journal.Id)).ToDictionaryAsync(journal => journal.Id, journal => journal.Entries));
        foreach (var key in _keys)
        {
            Assert.Equal(events[key], journals.GetValueOrDefault(key, []));
            Assert.Equal(events[key].Select((number, index) => new Recorded(key, number, index + 1)), await PublishedAsync(key));
        }
        Assert.Equal(0, await _service.CountAsync($"SELECT count(*) FROM parked_records WHERE partition = {_partition.Partition.Value}"));
        Assert.Equal(0, await _service.CountAsync($"SELECT count(*) FROM offset_regressions WHERE partition = {_partition.Partition.Value}"));
        Assert.Equal(_log.Count, await _service.CountAsync($"SELECT coalesce(max(next_offset), 0) FROM consumer_offsets WHERE partition = {_partition.Partition.Value}"));
    }

    private async Task DeliverAsync(int instance, int count, CancellationToken cancellationToken = default)
    {
        var reader = _instances[instance];
        var from = (int)reader.Position;
        var records = Enumerable.Range(from, Math.Max(0, Math.Min(count, _log.Count - from))).Select(RecordAt).ToList();
        await reader.HandleAsync(records, cancellationToken);
        _committedToKafka = Math.Max(_committedToKafka, reader.Handled);
    }

    private async Task CrashAsync(int at, Func<CancellationToken, Task> work)
    {
        using var process = new CancellationTokenSource();
        _fault = (at, async _ => await process.CancelAsync());
        try
        {
            await work(process.Token);
        }
        catch (Exception) when (process.IsCancellationRequested)
        {
            // dead, whatever it still had to say
        }
    }

    private async Task RedriveOldestAsync(CancellationToken cancellationToken)
    {
        if (await OldestAsync() is { } letter)
            await _redriving.RedriveAsync(letter.Id, discard: false, cancellationToken);
    }

    private async Task<(Guid Id, Guid EventId, string Status)?> OldestAsync()
    {
        await using var connection = new NpgsqlConnection(_service.Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT id, event_id, status FROM dead_letters WHERE partition = $1 AND status IN ('parked', 'redriving') ORDER BY id LIMIT 1", connection)
        {
            Parameters = { new NpgsqlParameter<int> { TypedValue = _partition.Partition.Value } },
        };
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? (reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2)) : null;
    }

    private async Task<List<Recorded?>> PublishedAsync(Guid key)
    {
        var bodies = await _service.QueryAsync(db => db.Database.SqlQuery<byte[]>($"SELECT body AS \"Value\" FROM outbox WHERE key = {key.ToString()} ORDER BY id").ToListAsync());
        return [.. bodies.Select(body => JsonSerializer.Deserialize(body, JournalJson.Default.Recorded))];
    }

    private ConsumedRecord RecordAt(int offset)
    {
        var (id, noted) = _log[offset];
        _service.Notes.TryGetEvent(typeof(Noted), out var type);
        var attributes = new CloudEvent(id, type!.Name, "/tests", DateTimeOffset.UnixEpoch, noted.JournalId.ToString());
        return new(_partition.Topic, _partition.Partition.Value, offset, noted.JournalId.ToString(), DateTimeOffset.UnixEpoch,
            attributes.ToHeaders(), JsonSerializer.SerializeToUtf8Bytes(noted, JournalJson.Default.Noted));
    }
}
