using Npgsql;

namespace Shop.Testing;

/// <summary>Sessions that may write levels of Inventory's stock, and movements of its ledger, as its own do; that the two agree is for whoever uses them.</summary>
public static class BookingSessions
{
    /// <summary>The connection string (Npgsql) of such sessions, for example of pgbench's: its <c>Options</c> are PostgreSQL's own.</summary>
    /// <param name="connectionString">Inventory's database.</param>
    public static string Of(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c inventory.books_movements=on" }.ConnectionString;
}
