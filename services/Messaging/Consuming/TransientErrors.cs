using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Shop.Messaging.Consuming;

/// <summary>Tells errors that pass by themselves from those that come again with the same record.</summary>
internal static class TransientErrors
{
    /// <summary>Attempts after which a conflict between two writers counts as the record's own fault.</summary>
    private const int ConflictAttempts = 10;

    public static bool IsTransient(Exception exception, int attempt)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case OperationCanceledException or FencedException:
                    return false;
                // two instances inserted or changed the same row: the next attempt sees the other's
                case DbUpdateConcurrencyException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation }:
                    return attempt < ConflictAttempts;
                case PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }:
                    return true;
                case NpgsqlException database:
                    return database.IsTransient;
            }
        }
        return false;
    }
}
