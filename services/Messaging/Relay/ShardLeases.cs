using System.Numerics;
using Npgsql;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Messaging.Relay;

/// <summary>
/// The shards of the outbox that this instance relays: advisory locks of one PostgreSQL session, shared out evenly between the
/// instances that are there. The locks end with the session, so what a dead instance owned is free as soon as PostgreSQL sees it gone.
/// </summary>
internal sealed class ShardLeases(NpgsqlConnection session)
{
    /// <summary>First half of the shards' locks: "outb" in ASCII.</summary>
    public const int ShardLocks = 0x6f757462;

    /// <summary>First half of the lock that every relay holds in shared mode, by which they are counted: "rela" in ASCII.</summary>
    private const int PresenceLock = 0x72656c61;

    /// <summary>A relay asks something each half second, unless the machine does not let it.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private int _owned;
    private int _rank;

    /// <summary>The owned shards, one bit each.</summary>
    public int Mask => _owned;

    /// <summary>The owned shards.</summary>
    public short[] Shards { get; private set; } = [];

    /// <summary>Relays of the same database, this one among them.</summary>
    public int Instances { get; private set; } = 1;

    /// <summary>Whether this instance owns more than its share, and others wait for it.</summary>
    public bool HasSurplus => Shards.Length > Share;

    /// <summary>Even, and all shares together exactly the shards: what division leaves over goes to the first in an order that all see.</summary>
    private int Share => (OutboxShards.Count / Instances) + (_rank < OutboxShards.Count % Instances ? 1 : 0);

    /// <summary>Makes this relay known to the others.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock_shared({PresenceLock}, 0)", session);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Counts the relays, and ends the sessions of those that have been silent for too long: their process is stopped or starved, and
    /// what they own would be relayed by nobody. One that wakes up finds its session gone; what it had read it may produce again, in
    /// the same order, which the inboxes drop. Calling this is what keeps this relay from being silent.
    /// </summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await using var renew = new NpgsqlCommand($"""
            WITH relays AS (
              SELECT pid FROM pg_locks WHERE {AdvisoryLocks.IsHeld} AND classid::int = {PresenceLock} AND objid = 0),
            ended AS MATERIALIZED (
              SELECT pid, pg_terminate_backend(pid) FROM relays JOIN pg_stat_activity USING (pid) WHERE {AdvisoryLocks.IsSilentFor("$1")})
            SELECT count(*)::int, (count(*) FILTER (WHERE pid < pg_backend_pid()))::int FROM relays WHERE pid NOT IN (SELECT pid FROM ended)
            """, session)
        {
            Parameters = { SqlParameter.Of(LongestSilence) },
        };
        await using var reader = await renew.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        (Instances, _rank) = (Math.Max(1, reader.GetInt32(0)), reader.GetInt32(1));
    }

    /// <summary>Counts the relays and takes free shards up to a fair share.</summary>
    public async Task BalanceAsync(CancellationToken cancellationToken)
    {
        await RenewAsync(cancellationToken);
        if (Shards.Length >= Share)
            return;
        // nothing but the lock is asked of a row: PostgreSQL evaluates conditions in an order of its own, and a lock that is taken before
        // its row is thrown away, or is taken twice, would never be given back
        await using var acquire = new NpgsqlCommand($"SELECT shard FROM unnest($1) AS shard WHERE pg_try_advisory_lock({ShardLocks}, shard) LIMIT $2", session)
        {
            Parameters =
            {
                SqlParameter.Of<int[]>([.. Enumerable.Range(0, OutboxShards.Count).Where(shard => (_owned & (1 << shard)) == 0)]),
                SqlParameter.Of(Share - Shards.Length),
            },
        };
        var owned = _owned;
        await using (var reader = await acquire.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                owned |= 1 << reader.GetInt32(0);
        }
        Own(owned);
    }

    /// <summary>Gives up what is more than a fair share; nothing of it may be on its way any more.</summary>
    public async Task ReleaseSurplusAsync(CancellationToken cancellationToken)
    {
        var surplus = Shards[Share..];
        await using var release = new NpgsqlCommand($"SELECT pg_advisory_unlock({ShardLocks}, shard) FROM unnest($1) AS shard", session)
        {
            Parameters = { SqlParameter.Of<int[]>([.. surplus.Select(shard => (int)shard)]) },
        };
        await release.ExecuteNonQueryAsync(cancellationToken);
        Own(surplus.Aggregate(_owned, (owned, shard) => owned & ~(1 << shard)));
    }

    /// <summary>Gives up everything.</summary>
    public Task LeaveAsync() => AdvisoryLocks.ReleaseAsync(session);

    private void Own(int owned)
    {
        _owned = owned;
        var shards = new short[BitOperations.PopCount((uint)owned)];
        for (short shard = 0, i = 0; shard < OutboxShards.Count; shard++)
        {
            if ((owned & (1 << shard)) != 0)
                shards[i++] = shard;
        }
        Shards = shards;
    }
}
