using Npgsql;

namespace Shop.Messaging.Operations;

/// <summary>
/// Counts sagas by state. Those that have ended stay, and are more each day: of a state that many are in, it is PostgreSQL's statistics that say about
/// how many, so that this takes as long for all that ever were as for few. The table needs an index that begins with the state.
/// </summary>
internal static class SagaCounts
{
    /// <summary>So many of a state are counted.</summary>
    public const int Counted = 10_000;

    /// <summary>The number of rows is not known to the planner, which might read all of a table for few of them; and a bitmap is made of all rows before the first is counted.</summary>
    public const string Settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0";

    /// <summary>Counts the sagas of a table.</summary>
    public static async Task<Dictionary<string, double>> ReadAsync(NpgsqlDataSource dataSource, string table, string column, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var settings = new NpgsqlCommand(Settings, connection, transaction))
            await settings.ExecuteNonQueryAsync(cancellationToken);
        await using var count = new NpgsqlCommand(Sql(table, column), connection, transaction);
        await using var reader = await count.ExecuteReaderAsync(cancellationToken);
        var counts = new Dictionary<string, double>();
        while (await reader.ReadAsync(cancellationToken))
            counts[reader.GetString(0)] = reader.GetDouble(1);
        return counts;
    }

    /// <summary>The states, one after the other along the index; of each, as many as are counted and one more; and what the statistics say of the most common ones.</summary>
    public static string Sql(string table, string column) => $"""
        WITH RECURSIVE states(state) AS (
          (SELECT "{column}" FROM "{table}" ORDER BY 1 LIMIT 1)
          UNION ALL
          SELECT (SELECT "{column}" FROM "{table}" WHERE "{column}" > states.state ORDER BY 1 LIMIT 1) FROM states WHERE states.state IS NOT NULL),
        counted AS (
          SELECT state, (SELECT count(*) FROM (SELECT FROM "{table}" WHERE "{column}" = states.state LIMIT {Counted} + 1) few) AS number FROM states WHERE state IS NOT NULL),
        common AS (
          SELECT often.state, often.frequency * reltuples / greatest(relpages, 1) * (pg_relation_size(c.oid) / current_setting('block_size')::int) AS estimate
          FROM pg_class c JOIN pg_stats s ON s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname,
            unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS often(state, frequency)
          WHERE c.oid = '"{table}"'::regclass AND s.attname = '{column}')
        SELECT state, (CASE WHEN number <= {Counted} THEN number ELSE greatest(number, (SELECT estimate FROM common WHERE common.state = counted.state)) END)::float8 FROM counted
        """;
}
