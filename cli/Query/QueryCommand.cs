using System.CommandLine;
using DuckDB.NET.Data;

namespace Shop.Cli.Query;

/// <summary><c>./shop query "select ..." [--json|--csv]</c>: asks the warehouse, read-only.</summary>
internal static class QueryCommand
{
    /// <summary>Describes the command.</summary>
    public static Command Create()
    {
        var sql = new Argument<string>("SQL") { Description = "A query over the views orders, reservations, payments, stock, ... and events, in DuckDB's SQL" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var csv = new Option<bool>("--csv") { Description = "Comma-separated values, with a header" };
        var command = new Command("query", "Asks the warehouse, which has every event of every topic.") { sql, json, csv };
        command.Validators.Add(arguments =>
        {
            if (arguments.GetValue(json) && arguments.GetValue(csv))
                arguments.AddError("--json and --csv exclude each other.");
        });
        command.SetAction(arguments => Run(arguments.GetValue(sql)!, arguments.GetValue(json), arguments.GetValue(csv)));
        return command;
    }

    private static int Run(string sql, bool json, bool csv)
    {
        var folder = WarehouseFolder.Find();
        using var output = StandardOutput.Open();
        try
        {
            using var warehouse = Warehouse.Open(folder);
            using var rows = warehouse.Query(sql);
            if (json)
                QueryOutput.WriteJson(rows, output);
            else if (csv)
                QueryOutput.WriteCsv(rows, output);
            else
                QueryOutput.WriteTable(rows, output);
        }
        catch (DuckDBException e)
        {
            throw new CommandFailedException(e.Message);
        }
        catch (IOException) { } // whoever read this has read enough
        return 0;
    }
}
