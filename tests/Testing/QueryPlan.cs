using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Shop.Testing;

/// <summary>How PostgreSQL has run a statement: for tests of what is looked up by an index, and takes no longer with many rows than with few.</summary>
/// <param name="Lines">The plan, as EXPLAIN tells it.</param>
public sealed partial record QueryPlan(IReadOnlyList<string> Lines)
{
    /// <summary>The pages that it looked at, wherever they were.</summary>
    public long Pages => Numbers(PageCount(), Lines.First(line => line.Contains("Buffers: shared", StringComparison.Ordinal))).Sum();

    /// <summary>The most rows that a part of it has found, each time that it was run.</summary>
    public long MostRows => Lines.SelectMany(line => Numbers(RowCount(), line)).Max();

    /// <summary>Runs a statement, and tells how.</summary>
    public static async Task<QueryPlan> OfAsync(NpgsqlCommand statement, CancellationToken cancellationToken)
    {
        statement.CommandText = $"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {statement.CommandText}";
        var lines = new List<string>();
        await using var reader = await statement.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            lines.Add(reader.GetString(0));
        return new(lines);
    }

    private static IEnumerable<long> Numbers(Regex pattern, string line) =>
        pattern.Matches(line).Select(match => long.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\b(hit|read)=(?<number>\d+)")]
    private static partial Regex PageCount();

    [GeneratedRegex(@"\(actual .*?rows=(?<number>\d+)")]
    private static partial Regex RowCount();
}
