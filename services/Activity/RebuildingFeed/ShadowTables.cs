using System.Text;
using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Activity.RebuildingFeed;

/// <summary>
/// Tables like those of the feed, beside them. That of events has its key and indexes once it is filled, the others from the beginning, since it is by
/// their keys that a repeated order is passed over; in the end they take the others' places and names, so that nobody can tell that they were made anew.
/// </summary>
internal static class ShadowTables
{
    /// <summary>The tables of the feed's projection.</summary>
    public static readonly string[] Names = ["events", "orders", "ordered_skus"];

    private static readonly string[] Keyed = ["orders", "ordered_skus"];

    private const string Prefix = "shadow_";

    /// <summary>
    /// Where the records lie that the feed was past and had not handled when a rebuild from a time began, and that are before that time: the rebuild does not
    /// read them, and what is redriven of them has to be in its tables all the same.
    /// </summary>
    public const string Unhandled = "shadow_unhandled";

    /// <summary>What a table is called while it is a shadow.</summary>
    public static string Of(string table) => Prefix + table;

    /// <summary>Makes them, empty, where they are not there.</summary>
    public static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var sql = string.Concat(Names.Select(table => $"CREATE TABLE IF NOT EXISTS {Of(table)} (LIKE {table} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE) WITH (autovacuum_enabled = off);\n"));
        await ExecuteAsync(connection, $"{sql}CREATE TABLE IF NOT EXISTS {Unhandled} (topic text, partition integer, record_offset bigint, key text)", cancellationToken);
        await IndexAsync(connection, Keyed, cancellationToken);
    }

    /// <summary>Removes them.</summary>
    public static Task DropAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ExecuteAsync(connection, $"{string.Concat(Names.Select(table => $"DROP TABLE IF EXISTS {Of(table)};\n"))}DROP TABLE IF EXISTS {Unhandled}", cancellationToken);

    /// <summary>Gives them the keys and indexes that the live tables have; those that are there already stay.</summary>
    public static Task IndexAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => IndexAsync(connection, Names, cancellationToken);

    /// <summary>Has the planner know them as well as the live ones.</summary>
    public static Task AnalyzeAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => ExecuteAsync(connection, $"ANALYZE {string.Join(", ", Names.Select(Of))}", cancellationToken);

    private static async Task IndexAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancellationToken)
    {
        foreach (var (table, index, definition) in (await IndexesAsync(connection, cancellationToken)).Where(index => tables.Contains(index.First)))
        {
            // CREATE [UNIQUE] INDEX name ON schema.table USING ...
            var on = definition.IndexOf(" ON ", StringComparison.Ordinal);
            var body = definition[(definition.IndexOf(" USING ", on, StringComparison.Ordinal))..];
            var unique = definition.StartsWith("CREATE UNIQUE", StringComparison.Ordinal) ? "UNIQUE " : "";
            await ExecuteAsync(connection, $"CREATE {unique}INDEX IF NOT EXISTS {Of(index)} ON {Of(table)}{body}", cancellationToken);
        }
    }

    /// <summary>Puts them in the live tables' places, in the connection's transaction: readers see the old ones or the new ones.</summary>
    /// <exception cref="PostgresException">Readers did not let go of the live tables within the transaction's <c>lock_timeout</c>.</exception>
    public static async Task SwapAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, $"LOCK TABLE {string.Join(", ", Names)} IN ACCESS EXCLUSIVE MODE", cancellationToken);
        var indexes = await IndexesAsync(connection, cancellationToken);
        var keys = await ReadAsync(connection, "SELECT conrelid::regclass::text, conname, '' FROM pg_constraint WHERE contype = 'p' AND conrelid = ANY($1::regclass[])", cancellationToken);
        var sequence = (await ReadAsync(connection, "SELECT pg_get_serial_sequence(name, 'position'), pg_get_serial_sequence('shadow_events', 'position'), '' FROM unnest($1) AS name WHERE name = 'events'", cancellationToken))[0];
        var options = await ReadAsync(connection, "SELECT relname, coalesce(array_to_string(reloptions, ', '), ''), '' FROM pg_class WHERE oid = ANY($1::regclass[])", cancellationToken);
        var sql = new StringBuilder($"DROP TABLE {Unhandled};\n");
        foreach (var (table, key, _) in keys)
            sql.Append($"ALTER TABLE {Of(table)} ADD CONSTRAINT {Of(key)}_ PRIMARY KEY USING INDEX {Of(key)};\n");
        foreach (var table in Names)
            sql.Append($"DROP TABLE {table};\nALTER TABLE {Of(table)} RENAME TO {table};\nALTER TABLE {table} RESET (autovacuum_enabled);\n");
        foreach (var (table, parameters, _) in options.Where(option => option.Second.Length > 0))
            sql.Append($"ALTER TABLE {table} SET ({parameters});\n");
        foreach (var (_, index, _) in indexes)
            sql.Append($"ALTER INDEX {(keys.Any(key => key.Second == index) ? $"{Of(index)}_" : Of(index))} RENAME TO {index};\n");
        sql.Append($"ALTER SEQUENCE {sequence.Second} RENAME TO {sequence.First[(sequence.First.LastIndexOf('.') + 1)..]};\n");
        await ExecuteAsync(connection, sql.ToString(), cancellationToken);
    }

    private static Task<List<(string First, string Second, string Third)>> IndexesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ReadAsync(connection, "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY($1) ORDER BY indexname", cancellationToken);

    private static async Task<List<(string First, string Second, string Third)>> ReadAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { SqlParameter.Of(Names) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<(string, string, string)>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2)));
        return rows;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
