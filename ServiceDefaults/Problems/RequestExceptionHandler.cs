using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;

namespace Shop.ServiceDefaults.Problems;

/// <summary>
/// Answers the exceptions that are not defects: a request that cannot be read (400, 404, 413, 415, with the field's name)
/// and a database that is away, or cannot do its work for now (503 with Retry-After). Everything else stays a logged 500.
/// </summary>
internal sealed partial class RequestExceptionHandler(IProblemDetailsService problems, ILogger<RequestExceptionHandler> logger)
    : IExceptionHandler
{
    /// <summary>Source: PostgreSQL, appendix A. The server's resources (a full disk, no connection left), an operator's intervention (a cancelled statement), its own I/O.</summary>
    private static readonly string[] ClassesOfTheServer = ["53", "57", "58"];

    /// <summary>A table was changed since its statement was prepared, SQLSTATE <c>feature_not_supported</c>: the next session prepares it anew.</summary>
    private const string PlanOutdated = "0A000";

    /// <summary>A server that a failover has made a standby, SQLSTATE <c>read_only_sql_transaction</c>: the next session may be on the primary.</summary>
    private const string ReadOnly = "25006";

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            BadHttpRequestException badRequest => UnreadableRequest.Describe(httpContext, badRequest),
            _ when IsDatabaseAway(exception) => DatabaseAway(exception),
            _ => null,
        };
        if (problem is null)
            return false;

        httpContext.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = problem, Exception = exception });
    }

    private static bool IsDatabaseAway(Exception? exception)
    {
        // EF Core wraps what the driver throws, more than once
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is DbException error && (error.IsTransient || error.SqlState is { Length: 5 } state && (state is ReadOnly or PlanOutdated || ClassesOfTheServer.Contains(state[..2]))))
                return true;
        }

        return false;
    }

    private ProblemDetails DatabaseAway(Exception exception)
    {
        LogDatabaseAway(exception.GetBaseException().Message);
        return new()
        {
            Status = StatusCodes.Status503ServiceUnavailable,
            Detail = "The service cannot reach its database at the moment. Try again.",
        };
    }

    [LoggerMessage(EventName = "DatabaseUnavailable", Level = LogLevel.Warning, Message = "A request was answered with 503, the database failed: {Reason}")]
    private partial void LogDatabaseAway(string reason);
}
