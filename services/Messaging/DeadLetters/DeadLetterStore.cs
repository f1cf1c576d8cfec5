using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.Events;
using Shop.Messaging.Schema;

namespace Shop.Messaging.DeadLetters;

/// <summary>A dead letter as it is kept.</summary>
/// <param name="Endpoint">The endpoint that failed.</param>
/// <param name="Key">The key that it parks.</param>
/// <param name="Status">How far it is.</param>
/// <param name="Discarded">Whether the record itself was left out; those behind it are played all the same.</param>
/// <param name="Record">The record.</param>
internal sealed record StoredDeadLetter(string Endpoint, string Key, string Status, bool Discarded, ConsumedRecord Record);

/// <summary>A record that waits behind a dead letter of its key.</summary>
internal sealed record ParkedRecord(long Id, ConsumedRecord Record);

/// <summary>The statements of a redrive's transaction.</summary>
internal sealed class DeadLetterStore(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    /// <summary>Reads and locks a dead letter; consumers that want to park records of its key wait meanwhile.</summary>
    public async Task<StoredDeadLetter?> LockAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command("""
            SELECT endpoint, key, status, discarded, topic, partition, record_offset, headers, body FROM dead_letters WHERE id = $1 FOR UPDATE
            """, SqlParameter.Of(id));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3), ReadRecord(reader, 4, reader.GetString(1)))
            : null;
    }

    /// <summary>The oldest record that is parked under the key.</summary>
    public async Task<ParkedRecord?> FirstParkedAsync(string endpoint, string key, CancellationToken cancellationToken)
    {
        await using var command = Command("""
            SELECT id, topic, partition, record_offset, headers, body FROM parked_records WHERE endpoint = $1 AND key_digest = $2 ORDER BY id LIMIT 1
            """, SqlParameter.Of(endpoint), SqlParameter.Of(KeyDigest.Of(key)));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetInt64(0), ReadRecord(reader, 1, key)) : null;
    }

    /// <summary>Notes that the record itself was played or, with <paramref name="discarded"/>, left out: those behind it are next.</summary>
    public Task BeginAsync(Guid id, bool discarded, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE dead_letters SET status = 'redriving', discarded = $2 WHERE id = $1", cancellationToken, SqlParameter.Of(id), SqlParameter.Of(discarded));

    /// <summary>Notes that it parks its key no longer.</summary>
    public Task EndAsync(Guid id, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE dead_letters SET status = CASE WHEN discarded THEN 'discarded' ELSE 'redriven' END WHERE id = $1", cancellationToken, SqlParameter.Of(id));

    public Task SetFailureAsync(Guid id, Exception failure, DateTimeOffset now, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE dead_letters SET error_type = $2, error_message = $3, stack_trace = $4, failed_at = $5 WHERE id = $1", cancellationToken,
        SqlParameter.Of(id), SqlParameter.Of(failure.GetBaseException().GetType().FullName!), SqlParameter.Of(StorableText.Of(failure.GetBaseException().Message, DeadLetter.MaxMessage)), SqlParameter.Of(StorableText.Of(failure.ToString(), DeadLetter.MaxStackTrace)),
        SqlParameter.Of(now));

    public Task RemoveParkedAsync(long id, CancellationToken cancellationToken) =>
        ExecuteAsync("DELETE FROM parked_records WHERE id = $1", cancellationToken, SqlParameter.Of(id));

    public async Task InsertAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { letter.Insert() } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static ConsumedRecord ReadRecord(NpgsqlDataReader reader, int first, string key) => ConsumedRecord.Kept(
        reader.GetString(first), reader.GetInt32(first + 1), reader.GetInt64(first + 2), key,
        StoredHeaders.Read(reader.GetString(first + 3)), reader.BytesOrNull(first + 4));

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }
}
