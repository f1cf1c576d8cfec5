using Npgsql;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>Plain SQL, as whoever has a database may send it.</summary>
public static class Statements
{
    /// <summary>Runs statements, as one transaction where they do not say otherwise.</summary>
    public static async Task ExecuteAsync(this NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
