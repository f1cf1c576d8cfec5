using DuckDB.NET.Data;
using Shop.Contracts.Warehouse;

namespace Shop.Cli.Tests.Query;

/// <summary><c>./shop query</c> over a folder of files, some of them older than the newest columns.</summary>
public sealed class QueryTests : IDisposable
{
    private static readonly DateTimeOffset Hour = new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);

    private readonly string _data = Directory.CreateTempSubdirectory("shop-query-").FullName;

    public QueryTests()
    {
        // an old file without the columns that came later
        Write(new("orders", 0, Hour, 0, 1), "SELECT 'orders' AS topic, 0::INT AS partition, i AS \"offset\", 'k' AS key, 'shop.orders.order-confirmed.v1' AS type FROM range(2) AS r(i)");
        Write(new("orders", 0, Hour.AddHours(1), 2, 3), "SELECT 'orders' AS topic, 0::INT AS partition, i + 2 AS \"offset\", 'k' AS key, 'x' AS type, 'a,\"b' AS reason, 19.9::DECIMAL(18, 4) AS total_amount, TIMESTAMPTZ '2026-11-26 11:00:00Z' AS time FROM range(2) AS r(i)");
        // a small file whose merging is under way
        Write(new("orders", 0, Hour.AddHours(1), 2, 2), "SELECT 2::BIGINT AS \"offset\"");
        // one that is not whole yet
        Directory.CreateDirectory(Path.Combine(_data, "warehouse", "_temporary"));
        File.WriteAllText(Path.Combine(_data, "warehouse", "_temporary", new WarehouseFile("orders", 0, Hour, 4, 5).Name), "PAR1");
    }

    [Fact]
    public async Task Every_row_is_there_once_with_nulls_where_a_file_is_older_and_topics_without_files_are_empty()
    {
        Assert.Equal(["""{"n":4,"sum":6,"reasons":2}"""], await OutputAsync("select count(*)::int as n, sum(\"offset\")::int as sum, count(reason)::int as reasons from orders", "--json"));
        Assert.Equal(["n", "4"], await OutputAsync("select count(*) as n from events", "--csv"));
        Assert.Equal(["n", "0"], await OutputAsync("select count(*) as n from payments where amount > 1", "--csv"));
        Assert.Equal(["n", "2"], await OutputAsync("select count(*) as n from orders where date = DATE '2026-11-26' and hour = 11", "--csv"));
    }

    [Fact]
    public async Task Values_are_written_as_each_format_wants_them()
    {
        const string Sql = "select reason, total_amount, time, null as nothing from orders where \"offset\" = 3";
        Assert.Equal(["""{"reason":"a,\"b","total_amount":19.9000,"time":"2026-11-26T11:00:00Z","nothing":null}"""], await OutputAsync(Sql, "--json"));
        Assert.Equal(["reason,total_amount,time,nothing", "\"a,\"\"b\",19.9000,2026-11-26T11:00:00Z,"], await OutputAsync(Sql, "--csv"));
        var table = await OutputAsync(Sql);
        Assert.Contains(table, line => line.Contains("a,\"b", StringComparison.Ordinal) && line.Contains("19.9000", StringComparison.Ordinal));
        Assert.Equal("1 row", table[^1]);
    }

    [Fact]
    public async Task What_a_terminal_would_obey_is_not_in_a_table()
    {
        var table = string.Join('\n', await OutputAsync("select 'a' || chr(27) || '[2Jb' || chr(8238) || 'c' || chr(10) || 'd 😀' as text"));

        Assert.Contains("a\uFFFD[2Jb\uFFFDc", table, StringComparison.Ordinal);
        Assert.Contains("d 😀", table, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table);
    }

    [Fact]
    public async Task What_a_terminal_would_obey_is_not_in_an_error()
    {
        var (code, _, errors) = await RunAsync("select error('a' || chr(27) || '[2Jb' || chr(8238) || 'c')");

        Assert.Equal(1, code);
        Assert.Contains("a\uFFFD[2Jb\uFFFDc", string.Join('\n', errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete from orders")]
    [InlineData("drop view orders")]
    [InlineData("create table x as select 1")]
    [InlineData("copy (select 1) to '/tmp/x.csv'")]
    [InlineData("select 1; drop view orders")]
    [InlineData("attach '/tmp/x.db'")]
    [InlineData("set enable_external_access = true")]
    [InlineData("select * from read_csv('/etc/passwd')")]
    [InlineData("select * from read_text('/etc/passwd')")]
    [InlineData("select * from enable_logging('QueryLog', storage_path := '/tmp/x.csv')")]
    [InlineData("select * from query('from ENABLE_LOGGING()')")]
    [InlineData("select * from query('from enable_' || 'logging(''QueryLog'', storage_path := ''/tmp/x.csv'')')")]
    [InlineData("with logged as (from QUERY('from enable_' || 'logging()')) select count(*) from orders where exists (from logged)")]
    [InlineData("from json_execute_serialized_sql(json_serialize_sql('from enable_' || 'logging()'))")]
    [InlineData("select 1 union all select count(*) from \"Enable_Profiling\"()")]
    [InlineData("explain analyze copy (select 1) to '/tmp/x.csv'")]
    [InlineData("install httpfs")]
    [InlineData("selct 1")]
    [InlineData("select nothing from orders")]
    public async Task What_is_no_query_over_the_warehouse_is_refused(string sql)
    {
        var (code, output, errors) = await RunAsync(sql);
        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.NotEmpty(errors);
        Assert.DoesNotContain(errors, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("select count(*) as n from orders where type <> 'enable_logging' and reason is distinct from 'query(1)' -- disable_logging")]
    [InlineData("with query as (from orders) select count(*) as n from query /* enable_profiling() */")]
    [InlineData("select count(*) as n, any_value(type) as enable_logging from orders")]
    public async Task Names_of_what_is_refused_may_be_in_texts_and_names_and_comments(string sql)
    {
        var output = await OutputAsync(sql, "--csv");
        Assert.StartsWith("n", output[0], StringComparison.Ordinal);
        Assert.StartsWith("4", output[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_may_be_nested_deeply() =>
        Assert.Equal(["n", "300"], await OutputAsync($"select {string.Join(" + ", Enumerable.Repeat("1", 300))} as n", "--csv"));

    [Fact]
    public async Task Only_files_of_topics_that_a_statement_names_are_opened()
    {
        var damaged = Path.Combine(_data, "warehouse", new WarehouseFile("payments", 0, Hour, 0, 1).Path);
        Directory.CreateDirectory(Path.GetDirectoryName(damaged)!);
        await File.WriteAllTextAsync(damaged, "broken", TestContext.Current.CancellationToken);

        Assert.Equal(["n", "4"], await OutputAsync("select count(*) as n from \"ORDERS\"", "--csv"));
        Assert.Equal(["n", "4"], await OutputAsync("with payments_of_mine as (from orders) select count(*) as n from payments_of_mine", "--csv"));
        foreach (var sql in new[] { "select count(*) from Payments", "select count(*) from events", "select count(*) from query_table('pay' || 'ments')" })
        {
            var (code, _, errors) = await RunAsync(sql);
            Assert.Equal(1, code);
            Assert.NotEmpty(errors);
        }
    }

    [Fact]
    public async Task A_query_prunes_files_by_date_and_hour()
    {
        var plan = string.Join('\n', await OutputAsync("explain analyze select count(*) from orders where hour = 10", "--json"));
        Assert.Contains("1/2", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_warehouse_it_says_how_to_get_one()
    {
        await using var process = CliProcess.Start("", "/nowhere", "query", "select 1");
        Assert.Equal(1, await process.ExitedAsync());
        Assert.Contains("./shop up", string.Join('\n', process.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_is_not_asked_in_place_of_a_bucket_unless_it_is_named()
    {
        await using (var refused = CliProcess.StartProgram("env", "", _data, "Warehouse__S3__Bucket=far", "dotnet", CliProcess.Assembly, "query", "select 1"))
        {
            Assert.Equal(1, await refused.ExitedAsync());
            Assert.Contains("bucket far", string.Join('\n', refused.Errors), StringComparison.Ordinal);
        }
        await using var copy = CliProcess.StartProgram("env", "", _data, "Warehouse__S3__Bucket=far", $"Warehouse__Directory={Path.Combine(_data, "warehouse")}", "dotnet", CliProcess.Assembly, "query", "select count(*) as n from orders", "--csv");
        Assert.Equal(0, await copy.ExitedAsync());
        Assert.Equal(["n", "4"], copy.Output);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private async Task<IReadOnlyList<string>> OutputAsync(params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);
        Assert.Empty(errors);
        Assert.Equal(0, code);
        return [.. output.Where(line => line.Length > 0)];
    }

    private async Task<(int Code, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)> RunAsync(params string[] arguments)
    {
        await using var process = CliProcess.Start("", _data, ["query", .. arguments]);
        return (await process.ExitedAsync(), process.Output, process.Errors);
    }

    private void Write(WarehouseFile file, string select)
    {
        var path = Path.Combine(_data, "warehouse", file.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY ({select}) TO '{path}' (FORMAT parquet)";
        command.ExecuteNonQuery();
    }
}
