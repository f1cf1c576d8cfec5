using System.Text.Json;
using Confluent.Kafka;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;
using Shop.Messaging.Tests.Hosting;

namespace Shop.Messaging.Tests.Properties;

/// <summary>Two topics' partitions of one number, which one lane handles together, the two instances that read them, and an operator.</summary>
internal sealed class SimulatedLane
{
    private readonly JournalService _service;
    private readonly int _number;
    private readonly Redriving _redriving;
    private readonly List<Guid> _keys = Journals.New(3);
    private readonly List<(Guid Id, Noted Noted)> _published = [];
    private readonly Dictionary<TopicPartition, List<ConsumedRecord>> _logs = [];
    private readonly Dictionary<TopicPartition, long> _committedToKafka = [];
    private readonly HashSet<int> _poisoned = [];
    private readonly HashSet<Guid> _discarded = [];
    private readonly SimulatedInstance[] _instances;

    /// <summary>Counts down the events until the fault, which then happens.</summary>
    private (int Countdown, Func<TestDb, Task> Fault)? _fault;

    public SimulatedLane(JournalService service, int number, BatchProcessor[] processors, Redriving redriving)
    {
        _service = service;
        _number = number;
        _redriving = redriving;
        foreach (var topic in new[] { "first", "second" })
        {
            _logs[new(topic, number)] = [];
            _committedToKafka[new(topic, number)] = 0;
        }
        _instances = [.. processors.Select(processor => new SimulatedInstance(processor, _logs))];
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
                Publish((Guid.CreateVersion7(), new(_keys[publish.Key], _published.Count)));
                break;
            case Step.Duplicate { Event: var number } when _published.Count > 0:
                Publish(_published[number % _published.Count]);
                break;
            case Step.Deliver deliver:
                await DeliverAsync(deliver.Instance, deliver.Count);
                break;
            case Step.DeliverToBoth both:
                await Task.WhenAll(DeliverAsync(0, both.Count), DeliverAsync(1, both.Count));
                break;
            case Step.CrashInBatch crash:
                await CrashAsync(crash.At, cancellationToken => DeliverAsync(crash.Instance, crash.Count, cancellationToken));
                Restart(crash.Instance, 100);
                break;
            case Step.CrashAfterCommit crash:
                await DeliverAsync(crash.Instance, crash.Count, committed: false);
                Restart(crash.Instance, 100);
                break;
            case Step.Rebalance rebalance:
                Restart(rebalance.Instance, rebalance.Percent);
                break;
            case Step.Conflict conflict:
                _fault = (1, async db => await db.Database.ExecuteSqlAsync($"DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"));
                await DeliverAsync(conflict.Instance, conflict.Count);
                break;
            case Step.Poison { Event: var number } when _published.Count > 0:
                _poisoned.Add(number % _published.Count);
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
            while (_logs.Any(log => instance.Positions[log.Key] < log.Value.Count))
                await DeliverAsync(Array.IndexOf(_instances, instance), 5);
        }
        while (await OldestAsync() is { } letter)
            Assert.Equal(RedriveOutcome.Done, await _redriving.RedriveAsync(letter.Id, discard: false, CancellationToken.None));
    }

    /// <summary>A sequential run handles each event once, in the order of the log, but for those that were discarded.</summary>
    public async Task EqualsSequentialRunAsync()
    {
        var events = _published.DistinctBy(entry => entry.Id).Where(entry => !_discarded.Contains(entry.Id)).ToLookup(entry => entry.Noted.JournalId, entry => entry.Noted.Number);
        var journals = await _service.QueryAsync(db => db.Journals.Where(journal => _keys.Contains(journal.Id)).ToDictionaryAsync(journal => journal.Id, journal => journal.Entries));
        foreach (var key in _keys)
        {
            Assert.Equal(events[key], journals.GetValueOrDefault(key, []));
            Assert.Equal(events[key].Select((number, index) => new Recorded(key, number, index + 1)), await PublishedAsync(key));
        }
        Assert.Equal(0, await _service.CountAsync($"SELECT count(*) FROM parked_records WHERE partition = {_number}"));
        Assert.Equal(0, await _service.CountAsync($"SELECT count(*) FROM offset_regressions WHERE partition = {_number}"));
        Assert.Equal(_logs.Values.Sum(log => log.Count), await _service.CountAsync($"SELECT coalesce(sum(next_offset), 0)::bigint FROM consumer_offsets WHERE partition = {_number}"));
    }

    /// <summary>The first two keys have the first topic, the third has the second: the lane's batches are of both.</summary>
    private void Publish((Guid Id, Noted Noted) entry)
    {
        _published.Add(entry);
        var key = entry.Noted.JournalId.ToString();
        var (partition, log) = _logs.ElementAt(_keys.IndexOf(entry.Noted.JournalId) / 2);
        _service.Notes.TryGetEvent(typeof(Noted), out var type);
        log.Add(new(partition.Topic, _number, log.Count, key, DateTimeOffset.UnixEpoch,
            new CloudEvent(entry.Id, type!.Name, "/tests", DateTimeOffset.UnixEpoch, key).ToHeaders(), JsonSerializer.SerializeToUtf8Bytes(entry.Noted, JournalJson.Default.Noted)));
    }

    private void Restart(int instance, int percent)
    {
        foreach (var (partition, offset) in _committedToKafka)
            _instances[instance].Restart(partition, offset * percent / 100);
    }

    private async Task DeliverAsync(int instance, int count, CancellationToken cancellationToken = default, bool committed = true)
    {
        var records = _logs.SelectMany(log => log.Value.Skip((int)_instances[instance].Positions[log.Key]).Take(count));
        foreach (var offset in await _instances[instance].HandleAsync([.. records], cancellationToken))
        {
            if (committed)
                _committedToKafka[offset.TopicPartition] = Math.Max(_committedToKafka[offset.TopicPartition], offset.Offset.Value);
        }
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
            Parameters = { SqlParameter.Of(_number) },
        };
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? (reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2)) : null;
    }

    private async Task<List<Recorded?>> PublishedAsync(Guid key)
    {
        var bodies = await _service.QueryAsync(db => db.Database.SqlQuery<byte[]>($"SELECT body AS \"Value\" FROM outbox WHERE key = {key.ToString()} ORDER BY id").ToListAsync());
        return [.. bodies.Select(body => JsonSerializer.Deserialize(body, JournalJson.Default.Recorded))];
    }
}
