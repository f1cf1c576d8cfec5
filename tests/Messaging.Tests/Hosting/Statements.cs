using Npgsql;

namespace Shop.Messaging.Tests.Hosting;

internal static class Statements
{
    /// <summary>Runs SQL that fills or changes tables, however long that takes.</summary>
    public static async Task ExecuteAsync(this NpgsqlDataSource dataSource, string sql)
    {
        await using var command = dataSource.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
