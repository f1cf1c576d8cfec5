using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Reads a captured table's rows as the log would tell them.</summary>
internal sealed class TableRows(NpgsqlDataSource dataSource, TableCapture capture)
{
    private static readonly TimeSpan SightInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>All rows, as they were when a slot was made.</summary>
    /// <param name="snapshot">The slot's exported snapshot.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async IAsyncEnumerable<CapturedRow> ReadAsync(string snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var columns = await ColumnsAsync(cancellationToken);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using (var set = new NpgsqlCommand($"SET TRANSACTION SNAPSHOT '{snapshot}'", connection, transaction))
            await set.ExecuteNonQueryAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Select(columns), connection, transaction) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            yield return Row(columns, reader);
    }

    /// <summary>A row as it is now; null where there is none.</summary>
    public async Task<CapturedRow?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var columns = await ColumnsAsync(cancellationToken);
        await using var command = dataSource.CreateCommand($"{Select(columns)} WHERE {Quoted(capture.KeyColumn)}::text = $1");
        command.Parameters.Add(SqlParameter.Of(key));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Row(columns, reader) : null;
    }

    /// <summary>
    /// Returns when others see what a transaction has done: a change is told as soon as its commit is in the log, and its session makes it visible a moment later, or,
    /// where standbys are waited for, much later.
    /// </summary>
    /// <param name="transaction">The transaction's number, without the epoch that sets it apart from those of 4 billion transactions before.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task AreSeenAsync(uint transaction, CancellationToken cancellationToken)
    {
        // the nearest one to the present that ends in these 32 bits (PostgreSQL, sections 9.27.7 and 25.1.5)
        await using var command = dataSource.CreateCommand("""
            SELECT pg_visible_in_snapshot((near + CASE WHEN near > newest + 2147483648 THEN -4294967296 WHEN near < newest - 2147483648 THEN 4294967296 ELSE 0 END)::text::xid8, snapshot)
            FROM (SELECT snapshot, newest, newest / 4294967296 * 4294967296 + $1 AS near
              FROM (SELECT snapshot, pg_snapshot_xmax(snapshot)::text::bigint AS newest FROM pg_current_snapshot() snapshot) s) n
            """);
        command.Parameters.Add(SqlParameter.Of((long)transaction));
        while (!(bool)(await command.ExecuteScalarAsync(cancellationToken))!)
            await Task.Delay(SightInterval, cancellationToken);
    }

    private async Task<List<string>> ColumnsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("""
            SELECT attname FROM pg_attribute WHERE attrelid = format('public.%I', $1)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
            """);
        command.Parameters.Add(SqlParameter.Of(capture.Table));
        var columns = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            columns.Add(reader.GetString(0));
        return columns;
    }

    private string Select(List<string> columns) => $"SELECT {string.Join(", ", columns.Select(column => $"{Quoted(column)}::text"))} FROM public.{Quoted(capture.Table)}";

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static CapturedRow Row(List<string> columns, NpgsqlDataReader reader)
    {
        var values = new string?[columns.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = reader.IsDBNull(i) ? null : reader.GetString(i);
        return new(columns, values);
    }
}
