using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Shop.Messaging.Operations;

/// <summary>Migrates the database before anything else of the service starts, and waits for a database that is not there yet.</summary>
internal sealed partial class DatabaseMigrator<TDbContext>(IServiceScopeFactory scopes, NpgsqlDataSource dataSource, ILogger<DatabaseMigrator<TDbContext>> logger)
    : IHostedService where TDbContext : MessagingDbContext
{
    /// <summary>Key of the advisory lock that lets one instance migrate at a time: "shopmigr" in ASCII.</summary>
    private const long MigrationLock = 0x73686f706d696772;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await MigrateAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                DatabaseNotReady(logger, e.Message);
                await Task.Delay(RetryDelay, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var acquire = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = MigrationLock } } };
        await acquire.ExecuteNonQueryAsync(cancellationToken);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<TDbContext>().Database.MigrateAsync(cancellationToken);
            await using var additions = new NpgsqlCommand(MessagingTables.Additions, connection);
            await additions.ExecuteNonQueryAsync(cancellationToken);
        }
        finally
        {
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = MigrationLock } } };
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    [LoggerMessage(EventName = "DatabaseNotReady", Level = LogLevel.Warning, Message = "The database is not ready: {Reason}")]
    private static partial void DatabaseNotReady(ILogger logger, string reason);
}
