using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.Workers;

namespace Shop.Messaging.Schema;

/// <summary>Migrates the database before anything else of the service starts, and waits for a database that is not there yet.</summary>
internal sealed partial class DatabaseMigrator<TDbContext>(IServiceScopeFactory scopes, NpgsqlDataSource dataSource, ILogger<DatabaseMigrator<TDbContext>> logger)
    : IHostedService where TDbContext : MessagingDbContext
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var said = new SaidReason();
        while (true)
        {
            try
            {
                await MigrateAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException e) when (e.IsTransient)
            {
                if (said.IsNew(e.Message))
                    DatabaseNotReady(logger, e.Message);
                await Task.Delay(RetryDelay, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using (var connection = await dataSource.OpenConnectionAsync(cancellationToken))
        {
            if (await DatabaseMigration.IsCurrentAsync(connection, typeof(TDbContext), cancellationToken))
                return;
        }
        await using var scope = scopes.CreateAsyncScope();
        await DatabaseMigration.MigrateAsync(scope.ServiceProvider.GetRequiredService<TDbContext>(), cancellationToken);
    }

    [LoggerMessage(EventName = "DatabaseNotReady", Level = LogLevel.Warning, Message = "The database is not ready: {Reason}")]
    private static partial void DatabaseNotReady(ILogger logger, string reason);
}
