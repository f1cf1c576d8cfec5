using System.Data.Common;
using System.Net.Sockets;
using Confluent.Kafka;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Shop.Messaging.Consuming;

/// <summary>
/// Tells errors that are about the moment, and are tried again, from those that are the record's own fault and would come again with
/// it. Of a database's errors the record's own are a list: whatever else PostgreSQL says (a cancelled statement, a server that has
/// become read-only, a full disk, a missing privilege) says nothing about the record.
/// </summary>
public static class TransientErrors
{
    /// <summary>Attempts after which a conflict between two writers, or a want of memory, counts as the record's own fault.</summary>
    private const int ConflictAttempts = 10;

    /// <summary>Attempts after which a handler that gives up waiting does so for the record: each may have waited for long.</summary>
    private const int AbandonedAttempts = 3;

    /// <summary>Source: PostgreSQL, appendix A. Data exceptions, violated constraints, limits of the program (a value too large), and what a rule in the database raises.</summary>
    private static readonly string[] ClassesOfTheRecord = ["22", "23", "54", "P0"];

    /// <summary>Whether an error is about the moment.</summary>
    /// <param name="exception">The error. A cancellation is taken for somebody else's: who asks knows whether it was its own.</param>
    /// <param name="attempt">How often it was tried, counted from 1: what may be about the moment or about the record is about the moment for a few.</param>
    public static bool IsTransient(Exception exception, int attempt)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case FencedException:
                    return false;
                // the latter is what MassTransit makes of a consumer's
                case OperationCanceledException or ConsumerCanceledException:
                    return attempt < AbandonedAttempts;
                // two instances inserted or changed the same row: the next attempt sees the other's; and memory comes back when others are done with it
                case DbUpdateConcurrencyException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } or OutOfMemoryException:
                    return attempt < ConflictAttempts;
                case PostgresException database:
                    return !ClassesOfTheRecord.Contains(database.SqlState[..2]);
                case DbException or KafkaException or IOException or SocketException or TimeoutException:
                    return true;
            }
        }
        return false;
    }

    /// <summary>Whether a statement took longer than its timeout: it may have been too much at once.</summary>
    internal static bool IsTimeout(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is TimeoutException)
                return true;
        }
        return false;
    }
}
