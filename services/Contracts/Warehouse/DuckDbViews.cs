using System.Text;

namespace Shop.Contracts.Warehouse;

/// <summary>Views over the warehouse's files for DuckDB: one for each topic, with all its columns, and <c>events</c> with what all records have.</summary>
public static class DuckDbViews
{
    /// <summary>The statements that make the views, or make them anew.</summary>
    /// <param name="files">Paths of files, or patterns, by topic; a topic without any has an empty view.</param>
    public static string Of(ILookup<string, string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var sql = new StringBuilder();
        foreach (var table in WarehouseTable.All)
        {
            var columns = string.Join(", ", table.Columns.Select(column => $"NULL::{TypeOf(column.Type)} AS {Quoted(column.Name)}"));
            // the first half says what the columns are, whatever older files lack
            sql.Append("CREATE OR REPLACE VIEW ").Append(table.Name).Append(" AS SELECT ").Append(columns)
                .Append(", NULL::DATE AS date, NULL::BIGINT AS hour WHERE false");
            if (files[table.Topic.Name].ToList() is { Count: > 0 } paths)
            {
                sql.Append("\n  UNION ALL BY NAME SELECT * FROM read_parquet([").AppendJoin(", ", paths.Select(path => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'"))
                    .Append("], union_by_name = true, hive_partitioning = true, hive_types = {date: DATE, hour: BIGINT})");
            }
            sql.Append(";\n");
        }
        var envelope = string.Join(", ", WarehouseTable.Envelope.Select(column => Quoted(column.Name)));
        return sql.Append("CREATE OR REPLACE VIEW events AS\n  ")
            .AppendJoin("\n  UNION ALL ", WarehouseTable.All.Select(table => $"SELECT {envelope}, date, hour FROM {table.Name}")).Append(";\n").ToString();
    }

    private static string TypeOf(WarehouseType type) => type switch
    {
        WarehouseType.Integer => "INTEGER",
        WarehouseType.Long => "BIGINT",
        WarehouseType.Double => "DOUBLE",
        WarehouseType.Decimal => $"DECIMAL({WarehouseTable.DecimalPrecision}, {WarehouseTable.DecimalScale})",
        WarehouseType.Boolean => "BOOLEAN",
        WarehouseType.Timestamp => "TIMESTAMPTZ",
        _ => "VARCHAR",
    };

    private static string Quoted(string name) => $"\"{name}\"";
}
