using System.Data.Common;
using DuckDB.NET.Data;
using Shop.Contracts.Warehouse;

namespace Shop.Cli.Query;

/// <summary>The warehouse's files as views, in a DuckDB that is in memory only and can reach nothing but them.</summary>
internal sealed class Warehouse : IDisposable
{
    /// <summary>A file that was listed may be merged with others before it is opened; the list is then made again.</summary>
    private const int Attempts = 5;

    private readonly string _folder;
    private readonly DuckDBConnection _connection;

    private Warehouse(string folder, DuckDBConnection connection) => (_folder, _connection) = (folder, connection);

    /// <summary>Opens the warehouse in a folder.</summary>
    public static Warehouse Open(string folder)
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        var warehouse = new Warehouse(folder, connection);
        warehouse.Execute($"SET allowed_directories = [{Literal(folder + "/")}]; SET TimeZone = 'UTC'");
        warehouse.CreateViews();
        warehouse.Execute("SET enable_external_access = false; SET lock_configuration = true");
        return warehouse;
    }

    /// <summary>Runs a query.</summary>
    /// <exception cref="CommandFailedException">It is no query, but would change something.</exception>
    /// <exception cref="DuckDBException">What DuckDB finds wrong with it.</exception>
    public DbDataReader Query(string sql)
    {
        RefuseChanges(sql);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var command = _connection.CreateCommand();
                command.CommandText = sql;
                return command.ExecuteReader();
            }
            catch (DuckDBException e) when (attempt < Attempts && (e.Message.Contains("No files found", StringComparison.Ordinal) || e.Message.Contains("No such file", StringComparison.Ordinal)))
            {
                CreateViews();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    /// <summary>DuckDB's own parser says what is a query: it turns nothing else into JSON.</summary>
    private void RefuseChanges(string sql)
    {
        var explained = sql.TrimStart();
        if (explained.StartsWith("explain ", StringComparison.OrdinalIgnoreCase))
            explained = explained["explain ".Length..];
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)";
        command.Parameters.Add(new DuckDBParameter("sql", explained));
        using var parsed = System.Text.Json.JsonDocument.Parse((string)command.ExecuteScalar()!);
        if (!parsed.RootElement.GetProperty("error").GetBoolean())
            return;
        var type = parsed.RootElement.GetProperty("error_type").GetString();
        var message = parsed.RootElement.GetProperty("error_message").GetString();
        throw new CommandFailedException(type == "not implemented" ? "Only queries can be run here: the warehouse is read-only." : message ?? "This is no query.");
    }

    private void CreateViews()
    {
        var files = WarehouseFile.Current(Directory.EnumerateFiles(_folder, "*.parquet", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(_folder, file).StartsWith("topic=", StringComparison.Ordinal)).Select(WarehouseFile.Parse).OfType<WarehouseFile>());
        Execute(DuckDbViews.Of(files.ToLookup(file => file.Topic, file => $"{_folder}/{file.Path}")));
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
