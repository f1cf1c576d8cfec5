using Npgsql;
using Shop.Messaging.Schema;

namespace Shop.Activity.CountingWindows;

/// <summary>Reads windows: one query for any number of them.</summary>
internal sealed class WindowReader(NpgsqlDataSource dataSource, TimeProvider time)
{
    private const int BestSellers = 10;

    /// <summary>The last minutes as one window, the minute at hand included.</summary>
    public async Task<ActivitySummary> SummaryAsync(int minutes, CancellationToken cancellationToken) =>
        (await ReadAsync(EndOfMinute(), minutes, TimeSpan.FromMinutes(minutes), cancellationToken))[0];

    /// <summary>The last minutes in windows of that size, oldest first; those in which nothing happened are there too.</summary>
    public Task<IReadOnlyList<ActivitySummary>> SeriesAsync(int minutes, TimeSpan size, CancellationToken cancellationToken)
    {
        // windows of hours begin with the hour
        var last = EndOfMinute().UtcTicks - 1;
        return ReadAsync(new(last - (last % size.Ticks) + size.Ticks, TimeSpan.Zero), minutes, size, cancellationToken);
    }

    private DateTimeOffset EndOfMinute() => WindowCounting.MinuteOf(time.GetUtcNow()).AddMinutes(1);

    private async Task<IReadOnlyList<ActivitySummary>> ReadAsync(DateTimeOffset to, int minutes, TimeSpan size, CancellationToken cancellationToken)
    {
        var from = to.AddMinutes(-minutes);
        await using var command = dataSource.CreateCommand("""
            SELECT at, measure, dimension, value FROM (
              SELECT date_bin($3, minute, $1) AS at, measure, dimension, sum(value) AS value,
                row_number() OVER (PARTITION BY date_bin($3, minute, $1), measure ORDER BY sum(value) DESC, dimension) AS rank
              FROM window_counts WHERE minute >= $1 AND minute < $2 GROUP BY 1, 2, 3) AS sums
            WHERE measure <> $4 OR rank <= $5
            ORDER BY at, measure, rank
            """);
        command.Parameters.Add(SqlParameter.Of(from));
        command.Parameters.Add(SqlParameter.Of(to));
        command.Parameters.Add(SqlParameter.Of(size));
        command.Parameters.Add(SqlParameter.Of(Measures.Sold));
        command.Parameters.Add(SqlParameter.Of(BestSellers));
        var windows = new List<(string, string, decimal)>[(int)Math.Ceiling((to - from) / size)];
        for (var i = 0; i < windows.Length; i++)
            windows[i] = [];
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            windows[(int)((reader.GetFieldValue<DateTimeOffset>(0) - from) / size)].Add((reader.GetString(1), reader.GetString(2), reader.GetDecimal(3)));
        return [.. windows.Select((counts, i) => ActivitySummary.Of(from + (i * size), from + ((i + 1) * size), counts))];
    }
}
