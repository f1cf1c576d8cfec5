using System.Data.Common;
using System.Text.Json;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;
using Shop.Contracts.Warehouse;

namespace Shop.Cli.Query;

/// <summary>The warehouse's files as views, in a DuckDB that is in memory only and can reach nothing but them.</summary>
internal sealed partial class Warehouse : IDisposable
{
    private const string ReadOnly = "Only queries can be run here: the warehouse is read-only.";

    /// <summary>Functions that a query may call, and that write files, the folder's among them, whatever is locked; and those that run a text, which may call them.</summary>
    private static readonly HashSet<string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        "enable_logging", "disable_logging", "truncate_duckdb_logs", "enable_profiling", "disable_profiling", "query", "json_execute_serialized_sql",
    };

    /// <summary>As deep as DuckDB lets expressions be nested, and deeper: each takes a few levels of JSON.</summary>
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 100_000 };

    private readonly IDisposable? _access;
    private readonly DuckDBConnection _connection;

    private Warehouse(IDisposable? access, DuckDBConnection connection) => (_access, _connection) = (access, connection);

    /// <summary>Opens the warehouse in a folder for a statement, whose files stay where they are until it is disposed of.</summary>
    public static async Task<Warehouse> OpenAsync(string folder, string sql, CancellationToken cancellationToken)
    {
        var access = await WarehouseAccess.ReadAsync(folder, cancellationToken);
        var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        var warehouse = new Warehouse(access, connection);
        warehouse.Execute($"SET allowed_directories = [{Literal(folder + "/")}]; SET TimeZone = 'UTC'");
        warehouse.CreateViews(folder, sql);
        warehouse.Execute("SET enable_external_access = false; SET lock_configuration = true");
        return warehouse;
    }

    /// <summary>Runs a query.</summary>
    /// <exception cref="CommandFailedException">It is no query, but would change something.</exception>
    /// <exception cref="DuckDBException">What DuckDB finds wrong with it.</exception>
    public DbDataReader Query(string sql)
    {
        RefuseChanges(sql);
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteReader();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connection.Dispose();
        _access?.Dispose();
    }

    /// <summary>DuckDB's own parser says what is a query, and what that calls: it turns nothing else into JSON.</summary>
    private void RefuseChanges(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)";
        command.Parameters.Add(new DuckDBParameter("sql", Explain().Replace(sql, "")));
        using var parsed = JsonDocument.Parse((string)command.ExecuteScalar()!, Deep);
        if (!parsed.RootElement.GetProperty("error").GetBoolean())
        {
            if (FunctionsIn(parsed.RootElement).FirstOrDefault(Refused.Contains) is { } function)
                throw new CommandFailedException($"{function}() cannot be called here: it writes, or runs what is not written here. The warehouse is read-only.");
            return;
        }
        var type = parsed.RootElement.GetProperty("error_type").GetString();
        var message = parsed.RootElement.GetProperty("error_message").GetString();
        throw new CommandFailedException(type == "not implemented" ? ReadOnly : message ?? "This is no query.");
    }

    /// <summary>The names of all functions that a parsed statement calls, wherever in it.</summary>
    private static IEnumerable<string> FunctionsIn(JsonElement parsed)
    {
        var open = new Stack<JsonElement>([parsed]);
        while (open.TryPop(out var element))
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (var part in element.EnumerateArray())
                    open.Push(part);
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in element.EnumerateObject())
                {
                    if (property.NameEquals("function_name") && property.Value.GetString() is { } name)
                        yield return name;
                    open.Push(property.Value);
                }
            }
        }
    }

    /// <summary>An explained query is one too.</summary>
    [GeneratedRegex(@"^\s*EXPLAIN\s+(ANALYZE\s+)?", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Explain();

    /// <summary>A view opens every file that it is about when it is made: only those that the statement may name are about any.</summary>
    private void CreateViews(string folder, string sql)
    {
        var words = Words().Matches(sql).Select(word => word.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        // the second asks views whose names may not be written there
        var all = words.Overlaps(["events", "query_table"]);
        var topics = WarehouseTable.All.Where(table => all || words.Contains(table.Name)).Select(table => table.Topic.Name).ToHashSet();
        var files = WarehouseFile.Current(WarehouseFile.In(folder)).Where(file => topics.Contains(file.Topic));
        Execute(DuckDbViews.Of(files.ToLookup(file => file.Topic, file => $"{folder}/{file.Path}")));
    }

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
