using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using NpgsqlTypes;

namespace Shop.Messaging;

/// <summary>
/// The rows between being read and being deleted. What the broker acknowledged is deleted in one statement for all that came
/// meanwhile; without waiting for the disk, since a deletion that a crash undoes only repeats an event, which the inboxes drop.
/// </summary>
internal sealed class InFlightRows
{
    private const int MaxDelete = 5_000;

    private readonly HashSet<long> _ids = [];
    private readonly Channel<long> _acknowledged = Channel.CreateUnbounded<long>(new() { SingleReader = true });
    private readonly OutboxSignal _deleted = new();
    private readonly Task _deleting;

    public InFlightRows(NpgsqlDataSource dataSource) => _deleting = DeleteAsync(dataSource);

    /// <summary>Ends when the deletions cannot go on.</summary>
    public Task Deleting => _deleting;

    public int Count
    {
        get
        {
            lock (_ids)
                return _ids.Count;
        }
    }

    public long[] Ids
    {
        get
        {
            lock (_ids)
                return [.. _ids];
        }
    }

    public void Add(long id)
    {
        lock (_ids)
            _ids.Add(id);
    }

    /// <summary>The row is not on its way after all.</summary>
    public void Remove(long id)
    {
        lock (_ids)
            _ids.Remove(id);
    }

    /// <summary>The broker has the event: its row may go. Called on the producer's thread.</summary>
    public void Acknowledge(long id) => _acknowledged.Writer.TryWrite(id);

    /// <summary>Waits until rows were deleted.</summary>
    public Task WaitForDeletionAsync(TimeSpan timeout, CancellationToken cancellationToken) => _deleted.WaitAsync(timeout, cancellationToken);

    /// <summary>Waits until everything is acknowledged and deleted, or until <paramref name="timeout"/> has passed.</summary>
    public async Task WaitUntilEmptyAsync(TimeSpan timeout)
    {
        var started = Stopwatch.GetTimestamp();
        while (Count > 0 && !_deleting.IsCompleted && Stopwatch.GetElapsedTime(started) < timeout)
            await _deleted.WaitAsync(timeout - Stopwatch.GetElapsedTime(started) is { Ticks: > 0 } left ? left : TimeSpan.Zero, CancellationToken.None);
    }

    /// <summary>Deletes what is acknowledged by now, and ends.</summary>
    public async Task CompleteAsync()
    {
        _acknowledged.Writer.TryComplete();
        await _deleting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task DeleteAsync(NpgsqlDataSource dataSource)
    {
        var ids = new List<long>(MaxDelete);
        await using var connection = await dataSource.OpenConnectionAsync();
        await using (var settings = new NpgsqlCommand("SET synchronous_commit = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan", connection))
            await settings.ExecuteNonQueryAsync();
        await using var delete = new NpgsqlCommand("DELETE FROM outbox WHERE id = ANY($1)", connection)
        {
            Parameters = { new NpgsqlParameter<List<long>> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint } },
        };
        await delete.PrepareAsync();
        while (await _acknowledged.Reader.WaitToReadAsync())
        {
            while (ids.Count < MaxDelete && _acknowledged.Reader.TryRead(out var id))
                ids.Add(id);
            ((NpgsqlParameter<List<long>>)delete.Parameters[0]).TypedValue = ids;
            await delete.ExecuteNonQueryAsync();
            lock (_ids)
                _ids.ExceptWith(ids);
            ids.Clear();
            _deleted.Set();
        }
    }
}
