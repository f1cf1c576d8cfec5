using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Outbox;

namespace Shop.Messaging.Relay;

/// <summary>
/// The rows between being read and being deleted. What the broker acknowledged is deleted in one statement for all that came
/// meanwhile; without waiting for the disk, since a deletion that a crash undoes only repeats an event, which the inboxes drop.
/// </summary>
internal sealed class InFlightMessages
{
    /// <summary>No more answers are taken into a statement once it has so many rows.</summary>
    private const int MaxDelete = 5_000;

    private readonly HashSet<long> _ids = [];
    private readonly Channel<long> _acknowledged = Channel.CreateUnbounded<long>(new() { SingleReader = true });
    private readonly OutboxSignal _deleted = new();
    private readonly Task _deleting;
    private long _progressAt = Stopwatch.GetTimestamp();

    public InFlightMessages(NpgsqlDataSource dataSource) => _deleting = DeleteAsync(dataSource);

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

    /// <summary>How long rows have been on their way while none was acknowledged.</summary>
    public TimeSpan StalledFor
    {
        get
        {
            lock (_ids)
                return _ids.Count == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_progressAt);
        }
    }

    public void Add(long id)
    {
        lock (_ids)
        {
            if (_ids.Count == 0)
                _progressAt = Stopwatch.GetTimestamp();
            _ids.Add(id);
        }
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
        await using (var settings = new NpgsqlCommand(
            "SET synchronous_commit = off; SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan", connection))
            await settings.ExecuteNonQueryAsync();
        // by runs of ids that follow each other: what was relayed in one go mostly does, and walking along the index costs half of
        // looking up every id
        await using var delete = new NpgsqlCommand("DELETE FROM outbox USING unnest($1, $2) AS run(low, high) WHERE id BETWEEN low AND high", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<List<long>> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter<List<long>> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
            },
        };
        await delete.PrepareAsync();
        while (await _acknowledged.Reader.WaitToReadAsync())
        {
            while (ids.Count < MaxDelete && _acknowledged.Reader.TryRead(out var id))
                ids.Add(id);
            var (low, high) = Runs(ids);
            ((NpgsqlParameter<List<long>>)delete.Parameters[0]).TypedValue = low;
            ((NpgsqlParameter<List<long>>)delete.Parameters[1]).TypedValue = high;
            await delete.ExecuteNonQueryAsync();
            lock (_ids)
            {
                _ids.ExceptWith(ids);
                _progressAt = Stopwatch.GetTimestamp();
            }
            ids.Clear();
            _deleted.Set();
        }
    }

    /// <summary>The first and last of each run of ids without a gap; between them there is no row that is not one of <paramref name="ids"/>.</summary>
    private static (List<long> Low, List<long> High) Runs(List<long> ids)
    {
        ids.Sort();
        List<long> low = [], high = [];
        foreach (var id in ids)
        {
            if (high.Count > 0 && id == high[^1] + 1)
            {
                high[^1] = id;
                continue;
            }
            low.Add(id);
            high.Add(id);
        }
        return (low, high);
    }
}
