using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Shop.Messaging.Schema;

namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// The histories that a transaction needs, as rows of <c>screening_histories</c>: read and locked in one statement, in the order of their keys, and
/// written in one, before the transaction ends. So they are as exact as its offsets, and cost the same however many rules there are.
/// </summary>
/// <param name="db">The transaction's context.</param>
public sealed class StoredHistories(PaymentsDb db)
{
    private readonly Dictionary<Guid, Row> _rows = [];

    /// <summary>Reads what is there of <paramref name="keys"/>, and locks it until the transaction ends.</summary>
    public async Task LoadAsync(IEnumerable<Guid> keys, CancellationToken cancellationToken)
    {
        var wanted = keys.Where(key => !_rows.ContainsKey(key)).Distinct().ToArray();
        if (wanted.Length == 0)
            return;
        await using var command = new NpgsqlCommand("SELECT key, state, version, last_at FROM screening_histories WHERE key = ANY($1) ORDER BY key FOR UPDATE", Connection)
        {
            Parameters = { SqlParameter.Of(wanted) },
        };
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                _rows[reader.GetGuid(0)] = new(reader.GetFieldValue<byte[]>(1), reader.GetInt32(2), reader.GetDateTime(3));
        }
        foreach (var key in wanted)
            _rows.TryAdd(key, new(null, 0, DateTime.MinValue));
    }

    /// <summary>The histories of a payment, which are written when the changes are saved.</summary>
    /// <exception cref="KeyNotFoundException">They were not loaded.</exception>
    public Histories Of(in HistoryKeys keys, Guid amounts, DateTimeOffset at) => new(
        Begin(keys.Card, at), Begin(keys.Shopper, at), keys.Device is { } device ? Begin(device, at) : null, keys.Address is { } address ? Begin(address, at) : null,
        _rows[amounts].ChangeAmounts(at));

    /// <summary>Adds what became known of a payment.</summary>
    /// <exception cref="KeyNotFoundException">Its histories were not loaded.</exception>
    public void Mark(Guid paymentId, in HistoryKeys keys, ObservationMarks marks, DateTimeOffset at)
    {
        foreach (var key in keys.All())
            Change(key, at).Mark(HistoryKeys.ShortOfPayment(paymentId), marks);
    }

    /// <summary>Writes what was changed, in the current transaction.</summary>
    /// <exception cref="DbUpdateConcurrencyException">A key that was new to this transaction was new to another too, which was first.</exception>
    internal async Task WriteAsync(CancellationToken cancellationToken)
    {
        var changed = _rows.Where(row => row.Value.IsChanged).OrderBy(row => row.Key).ToList();
        if (changed.Count == 0)
            return;
        await using var command = new NpgsqlCommand("""
            INSERT INTO screening_histories AS h (key, state, version, last_at)
            SELECT * FROM unnest($1, $2, $3, $4)
            ON CONFLICT (key) DO UPDATE SET state = excluded.state, version = excluded.version, last_at = greatest(h.last_at, excluded.last_at)
            WHERE h.version = excluded.version - 1
            """, Connection)
        {
            Parameters =
            {
                SqlParameter.Column(changed, NpgsqlDbType.Uuid, row => row.Key),
                SqlParameter.Column(changed, NpgsqlDbType.Bytea, row => row.Value.Encode()),
                SqlParameter.Column(changed, NpgsqlDbType.Integer, row => row.Value.Version + 1),
                SqlParameter.Column(changed, NpgsqlDbType.TimestampTz, row => row.Value.LastAt),
            },
        };
        var written = await command.ExecuteNonQueryAsync(cancellationToken);
        if (written != changed.Count)
            throw new DbUpdateConcurrencyException($"{changed.Count - written} screening histories were begun by somebody else");
        foreach (var (_, row) in changed)
            row.Written();
    }

    private NpgsqlConnection Connection => (NpgsqlConnection)db.Database.GetDbConnection();

    private History Change(Guid key, DateTimeOffset at) => _rows[key].Change(at);

    private History Begin(Guid key, DateTimeOffset at) => _rows[key].Begin(at);

    private sealed class Row(byte[]? state, int version, DateTime storedAt)
    {
        private History? _history;
        private AmountDistribution? _amounts;

        public int Version { get; private set; } = version;

        public bool IsChanged { get; private set; }

        public DateTime LastAt { get; private set; }

        public History Change(DateTimeOffset at)
        {
            Changed(at);
            return _history ??= state is null ? new() : History.Decode(state);
        }

        /// <summary>What is known of the key at that time; nothing any more where it was not seen for too long.</summary>
        public History Begin(DateTimeOffset at)
        {
            var history = Change(at);
            return history.IsForgottenAt(at) ? _history = new() : history;
        }

        public AmountDistribution ChangeAmounts(DateTimeOffset at)
        {
            Changed(at);
            return _amounts ??= state is null || at.UtcDateTime - storedAt > History.Memory ? new() : AmountDistribution.Decode(state);
        }

        public byte[] Encode() => _amounts?.Encode() ?? _history!.Encode();

        public void Written()
        {
            IsChanged = false;
            Version++;
        }

        private void Changed(DateTimeOffset at)
        {
            IsChanged = true;
            LastAt = at.UtcDateTime > LastAt ? at.UtcDateTime : LastAt;
        }
    }
}
