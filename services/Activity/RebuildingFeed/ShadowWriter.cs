using Npgsql;
using NpgsqlTypes;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging.Schema;

namespace Shop.Activity.RebuildingFeed;

/// <summary>Adds events to the shadow tables, as the feed does to the live ones: each once, with whose each order is.</summary>
internal sealed class ShadowWriter
{
    /// <summary>Ids by which repetitions are known, the newest: repetitions follow soon, since they are what a producer sent again after a crash.</summary>
    private const int MaxRemembered = 2_000_000;

    private readonly HashSet<Guid> _ids = [];
    private readonly Queue<Guid> _order = new();

    private readonly Guid _rebuild;

    private ShadowWriter(Guid rebuild) => _rebuild = rebuild;

    /// <summary>A writer that remembers the newest events that are there already.</summary>
    public static async Task<ShadowWriter> OpenAsync(NpgsqlConnection connection, Guid rebuild, CancellationToken cancellationToken)
    {
        var writer = new ShadowWriter(rebuild);
        await using var command = new NpgsqlCommand($"SELECT event_id FROM (SELECT event_id, position FROM shadow_events ORDER BY position DESC LIMIT {MaxRemembered}) newest ORDER BY position", connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            writer.IsNew(reader.GetGuid(0));
        return writer;
    }

    /// <summary>Remembers events that came into the shadow tables otherwise: their repetitions are still to come.</summary>
    public void Remember(IEnumerable<Guid> ids)
    {
        foreach (var id in ids)
            IsNew(id);
    }

    /// <summary>Adds events, and where their partitions are now, in one transaction: the given one, or one of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="events">The events, repetitions among them.</param>
    /// <param name="records">How many records that were, with those that are no events.</param>
    /// <param name="positions">Where partitions are after them.</param>
    /// <param name="current">The transaction that it is a part of.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task AddAsync(NpgsqlConnection connection, IReadOnlyList<StoredEvent> events, int records, IReadOnlyCollection<RebuildPosition> positions, NpgsqlTransaction? current, CancellationToken cancellationToken)
    {
        await using var own = current is null ? await connection.BeginTransactionAsync(cancellationToken) : null;
        var added = events.Where(stored => IsNew(stored.EventId)).ToList();
        await EventCopy.WriteAsync(connection, ShadowTables.Of("events"), added, cancellationToken);
        var orders = added.Select(FeedHandler.OrderIn).OfType<OrderSubmitted>().ToList();
        if (orders.Count > 0)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(FeedHandler.InsertOwners([.. orders], ShadowTables.Of("orders")));
            batch.BatchCommands.Add(FeedHandler.InsertSkus([.. orders.SelectMany(FeedHandler.SkusOf)], ShadowTables.Of("ordered_skus")));
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        await MoveAsync(connection, records, [.. positions], cancellationToken);
        if (own is not null)
            await own.CommitAsync(cancellationToken);
    }

    private async Task MoveAsync(NpgsqlConnection connection, int records, RebuildPosition[] positions, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("""
            INSERT INTO rebuild_positions (rebuild_id, topic, partition, next_offset) SELECT $1, topic, partition, next_offset FROM unnest($2, $3, $4) AS row(topic, partition, next_offset)
            ON CONFLICT (rebuild_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
            """)
        {
            Parameters =
            {
                SqlParameter.Of(_rebuild),
                SqlParameter.Column(positions, NpgsqlDbType.Text, position => position.Topic),
                SqlParameter.Column(positions, NpgsqlDbType.Integer, position => position.Partition),
                SqlParameter.Column(positions, NpgsqlDbType.Bigint, position => position.NextOffset),
            },
        });
        batch.BatchCommands.Add(new("UPDATE rebuilds SET events = events + $2 WHERE id = $1") { Parameters = { SqlParameter.Of(_rebuild), SqlParameter.Of((long)records) } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private bool IsNew(Guid id)
    {
        if (!_ids.Add(id))
            return false;
        _order.Enqueue(id);
        if (_order.Count > MaxRemembered)
            _ids.Remove(_order.Dequeue());
        return true;
    }
}
