using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;

namespace Shop.Benchmarks.Inventory;

/// <summary>Reads the changes of products from a temporary slot of its own, and drops them.</summary>
internal sealed class BareStream : IAsyncDisposable
{
    private readonly LogicalReplicationConnection _connection;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private readonly List<BareChange> _changes = [];
    private volatile int _read;

    private BareStream(LogicalReplicationConnection connection, PgOutputReplicationSlot slot)
    {
        _connection = connection;
        _reading = Task.Run(() => ReadAsync(slot));
    }

    /// <summary>Returns when the slot is there: what is committed from now on is read.</summary>
    public static async Task<BareStream> StartAsync(string database, CancellationToken cancellationToken)
    {
        await using (var dataSource = NpgsqlDataSource.Create(database))
        {
            await using var publication = dataSource.CreateCommand("DROP PUBLICATION IF EXISTS bench; CREATE PUBLICATION bench FOR TABLE products");
            await publication.ExecuteNonQueryAsync(cancellationToken);
        }
        var connection = new LogicalReplicationConnection(database) { WalReceiverStatusInterval = TimeSpan.FromSeconds(1) };
        await connection.Open(cancellationToken);
        return new(connection, await connection.CreatePgOutputReplicationSlot($"bench_{Guid.CreateVersion7():N}", temporarySlot: true, cancellationToken: cancellationToken));
    }

    /// <summary>Waits until so many changes have been read: when each was committed, and when its commit was read.</summary>
    public async Task<IReadOnlyList<BareChange>> UntilAsync(int changes, CancellationToken cancellationToken)
    {
        while (_read < changes)
        {
            if (_reading.IsCompleted)
                await _reading;
            await Task.Delay(5, cancellationToken);
        }
        return _changes;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connection.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ReadAsync(PgOutputReplicationSlot slot)
    {
        var rows = 0;
        await foreach (var message in _connection.StartReplication(slot, new PgOutputReplicationOptions("bench", PgOutputProtocolVersion.V1), _stop.Token))
        {
            switch (message)
            {
                case UpdateMessage update:
                    await foreach (var value in update.NewRow)
                        await value.Get<string>(_stop.Token);
                    rows++;
                    break;
                case CommitMessage commit:
                    // one row a transaction where their times are asked for
                    _changes.Add(new(commit.TransactionCommitTimestamp, DateTime.UtcNow));
                    (_read, rows) = (_read + rows, 0);
                    break;
            }
            _connection.SetReplicationStatus(message.WalEnd);
        }
    }
}

/// <summary>A transaction as it came.</summary>
internal readonly record struct BareChange(DateTime CommittedAt, DateTime ReadAt);
