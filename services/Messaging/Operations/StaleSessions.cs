using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Shop.Messaging.Operations;

/// <summary>
/// After a failover pooled sessions may belong to a server that refuses to write or is about to go, and after another instance's migration they have
/// prepared statements of tables that were changed since; they would be lent out again and again. An error that says so empties the
/// pool, so that whoever comes next gets a session of the server that answers now.
/// </summary>
internal sealed class StaleSessions(NpgsqlDataSource dataSource) : DbCommandInterceptor
{
    /// <summary>Empties the pool where <paramref name="exception"/> is about the session it came from.</summary>
    public void ClearAfter(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is PostgresException
                {
                    SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
                        or PostgresErrorCodes.FeatureNotSupported // "cached plan must not change result type"
                })
            {
                dataSource.Clear();
                return;
            }
        }
    }

    /// <inheritdoc/>
    public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        ClearAfter(eventData.Exception);
        return Task.CompletedTask;
    }
}
