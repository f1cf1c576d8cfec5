using System.Diagnostics;
using System.Text.RegularExpressions;
using Npgsql;

namespace Shop.Testing;

/// <summary>What <c>pg_dump</c> says of a database, so that two can be compared.</summary>
public static partial class PostgresDump
{
    /// <summary>The statements that would make its schema, sorted, as are the lines of each: tables, columns and storage parameters are in the order in which they were added.</summary>
    public static async Task<IReadOnlyList<string>> SchemaAsync(string database) => [.. (await DumpAsync(database, "--schema-only")).Split(";\n")
        .Select(statement => string.Join('\n', statement.Split('\n').Select(line => WithSortedParameters(line).TrimEnd(',')).Order(StringComparer.Ordinal)))
        .Order(StringComparer.Ordinal)];

    /// <summary>The rows of all tables but the history of migrations, and the sequences' values.</summary>
    public static Task<string> DataAsync(string database) =>
        DumpAsync(database, "--data-only", "--inserts", "--exclude-table-data=\"__EFMigrationsHistory\"");

    /// <summary>A table's or an index' storage parameters in the order of their names.</summary>
    private static string WithSortedParameters(string line) => StorageParameters().Replace(line, parameters =>
        $"WITH ({string.Join(", ", parameters.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))})");

    [GeneratedRegex(@"WITH \(([^)]*)\)")]
    private static partial Regex StorageParameters();

    private static async Task<string> DumpAsync(string database, params string[] what)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var start = new ProcessStartInfo("pg_dump", ["--no-owner", "--no-privileges", .. what])
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["PGHOST"] = settings.Host,
                ["PGPORT"] = $"{settings.Port}",
                ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password,
                ["PGDATABASE"] = settings.Database,
            },
        };
        using var process = Process.Start(start)!;
        var dump = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"pg_dump ended with {process.ExitCode}");
        // comments, and psql's \restrict, whose word is another one each time
        return string.Join('\n', dump.Split('\n').Where(line => line.Length > 0 && !line.StartsWith("--", StringComparison.Ordinal) && line[0] != '\\'));
    }
}
