using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Reads a captured table's rows as the log would tell them.</summary>
internal sealed class TableRows(NpgsqlDataSource dataSource, TableCapture capture)
{
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
