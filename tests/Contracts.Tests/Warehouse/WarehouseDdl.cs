using System.Text;
using Shop.Contracts.Warehouse;

namespace Shop.Contracts.Tests.Warehouse;

/// <summary>What other engines need to read the warehouse's files: tables of the columns that <see cref="WarehouseTable"/> makes of the events.</summary>
internal static class WarehouseDdl
{
    private const string Header = "-- Generated from services/Contracts; do not edit. See tests/Contracts.Tests/Warehouse.\n";

    /// <summary>Each file's name and text.</summary>
    public static IReadOnlyDictionary<string, string> All() => new Dictionary<string, string>
    {
        ["snowflake.sql"] = Snowflake(),
        ["hive.sql"] = Hive(),
        ["spark.sql"] = Spark(),
        ["duckdb.sql"] = Header + "-- Run where the folder warehouse is, or replace it: duckdb -init docs/warehouse/duckdb.sql\n"
            + "-- Where a topic has no file yet its view cannot be made, nor events over all of them: leave those lines out until it has.\n\n"
            + DuckDbViews.Of(WarehouseTable.All.ToLookup(table => table.Topic.Name, table => $"warehouse/topic={table.Topic}/*/*/*.parquet")),
    };

    private static string Snowflake()
    {
        var sql = new StringBuilder(Header).Append("""
            -- Set the stage's address and how it is reached first. COPY INTO loads each file once; small files are merged into new ones later, so rows
            -- land in a table of their own and are merged by topic, partition and offset: each event once, however often its row comes. What was merged is
            -- deleted there: after TRUNCATE each file would be loaded again. A table that is there gets no new columns by itself: ALTER TABLE ... ADD COLUMN both.
            -- Where a topic was made anew its offsets begin anew: rename the table of the one before, and its landing table, first.

            CREATE FILE FORMAT IF NOT EXISTS shop_parquet TYPE = PARQUET USE_LOGICAL_TYPE = TRUE;
            CREATE STAGE IF NOT EXISTS shop_warehouse URL = 's3://BUCKET/warehouse/' FILE_FORMAT = shop_parquet;

            """);
        foreach (var table in WarehouseTable.All)
        {
            var names = string.Join(", ", table.Columns.Select(column => Quoted(column.Name)));
            sql.Append($"\nCREATE TABLE IF NOT EXISTS {table.Name} (\n{Columns(table, SnowflakeType, Quoted)}\n) CLUSTER BY (TO_DATE(\"time\"));\n")
                .Append($"CREATE TRANSIENT TABLE IF NOT EXISTS {table.Name}_landing LIKE {table.Name};\n")
                .Append($"COPY INTO {table.Name}_landing FROM @shop_warehouse/topic={table.Topic}/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';\n")
                .Append($"MERGE INTO {table.Name} t USING (SELECT * FROM {table.Name}_landing QUALIFY row_number() OVER (PARTITION BY \"partition\", \"offset\" ORDER BY \"offset\") = 1) l\n")
                .Append("  ON t.\"partition\" = l.\"partition\" AND t.\"offset\" = l.\"offset\"\n")
                .Append($"  WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({string.Join(", ", table.Columns.Select(column => $"l.{Quoted(column.Name)}"))});\n")
                .Append($"DELETE FROM {table.Name}_landing USING {table.Name} t WHERE {table.Name}_landing.\"partition\" = t.\"partition\" AND {table.Name}_landing.\"offset\" = t.\"offset\";\n");
        }
        return sql.ToString();

        static string Quoted(string name) => $"\"{name}\"";
    }

    private static string Hive()
    {
        var sql = new StringBuilder(Header).Append("-- hive --hivevar warehouse=s3a://BUCKET/warehouse -f hive.sql; again after new hours: MSCK finds their folders\n-- A table that is there gets no new columns by itself: DROP TABLE leaves the files, and it is made again.\n");
        foreach (var table in WarehouseTable.All)
        {
            sql.Append($"\nCREATE EXTERNAL TABLE IF NOT EXISTS {table.Name} (\n{Columns(table, SparkType, Quoted)}\n) PARTITIONED BY (`date` DATE, `hour` INT)\n")
                .Append($"STORED AS PARQUET LOCATION '${{hivevar:warehouse}}/topic={table.Topic}';\nMSCK REPAIR TABLE {table.Name};\n");
        }
        return sql.ToString();
    }

    private static string Spark()
    {
        var sql = new StringBuilder(Header).Append("-- spark-sql --hivevar warehouse=s3a://BUCKET/warehouse -f spark.sql; again after new hours: RECOVER finds their folders\n-- A table that is there gets no new columns by itself: DROP TABLE leaves the files, and it is made again.\n");
        foreach (var table in WarehouseTable.All)
        {
            sql.Append($"\nCREATE TABLE IF NOT EXISTS {table.Name} (\n{Columns(table, SparkType, Quoted)},\n  `date` DATE,\n  `hour` INT\n) USING PARQUET PARTITIONED BY (`date`, `hour`)\n")
                .Append($"LOCATION '${{warehouse}}/topic={table.Topic}';\nALTER TABLE {table.Name} RECOVER PARTITIONS;\n");
        }
        return sql.ToString();
    }

    private static string Columns(WarehouseTable table, Func<WarehouseType, string> type, Func<string, string> quoted) =>
        string.Join(",\n", table.Columns.Select(column => $"  {quoted(column.Name)} {type(column.Type)}"));

    private static string Quoted(string name) => $"`{name}`";

    private static string SnowflakeType(WarehouseType type) => type switch
    {
        WarehouseType.Integer or WarehouseType.Long => "NUMBER(19, 0)",
        WarehouseType.Double => "DOUBLE",
        WarehouseType.Decimal => Amount("NUMBER"),
        WarehouseType.Boolean => "BOOLEAN",
        WarehouseType.Timestamp => "TIMESTAMP_TZ",
        _ => "VARCHAR",
    };

    private static string SparkType(WarehouseType type) => type switch
    {
        WarehouseType.Integer => "INT",
        WarehouseType.Long => "BIGINT",
        WarehouseType.Double => "DOUBLE",
        WarehouseType.Decimal => Amount("DECIMAL"),
        WarehouseType.Boolean => "BOOLEAN",
        WarehouseType.Timestamp => "TIMESTAMP",
        _ => "STRING",
    };

    private static string Amount(string type) => $"{type}({WarehouseTable.DecimalPrecision}, {WarehouseTable.DecimalScale})";
}
