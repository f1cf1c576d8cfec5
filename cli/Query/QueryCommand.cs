using System.CommandLine;
using System.Data.Common;
using DuckDB.NET.Data;
using Shop.Cli.Events;

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
        command.SetAction((arguments, cancellationToken) => RunAsync(arguments.GetValue(sql)!, arguments.GetValue(json), arguments.GetValue(csv), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string sql, bool json, bool csv, CancellationToken cancellationToken)
    {
        var folder = WarehouseFolder.Find();
        await using var output = StandardOutput.Open();
        try
        {
            using var warehouse = await Warehouse.OpenAsync(folder, sql, cancellationToken);
            using var rows = warehouse.Query(sql);
            Write(rows, json, csv, output);
        }
        catch (Exception e) when (e is DuckDBException or TimeoutException or IOException)
        {
            // a message may have values, which anybody may have written
            throw new CommandFailedException(Legible.Cell(e.Message.ReplaceLineEndings("\n")));
        }
        return 0;
    }

    private static void Write(DbDataReader rows, bool json, bool csv, TextWriter output)
    {
        try
        {
            if (json)
                QueryOutput.WriteJson(rows, output);
            else if (csv)
                QueryOutput.WriteCsv(rows, output);
            else
                QueryOutput.WriteTable(rows, output);
        }
        catch (IOException) { } // whoever read this has read enough
    }
}
