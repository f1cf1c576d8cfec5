using Microsoft.AspNetCore.Diagnostics;

namespace Shop.Gateway.SigningIn;

/// <summary>Sessions can be neither read nor written: the disk is full, or its directory is away.</summary>
internal sealed class SessionsAwayException(Exception reason) : Exception("Sessions cannot be read or written: " + reason.Message, reason);

/// <summary>Answers it with 503 and Retry-After.</summary>
internal sealed partial class SessionsAwayHandler(IProblemDetailsService problems, ILogger<SessionsAwayHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not SessionsAwayException)
            return false;
        LogAway(exception.Message);
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return await problems.TryWriteAsync(new()
        {
            HttpContext = httpContext,
            ProblemDetails = { Status = StatusCodes.Status503ServiceUnavailable, Detail = "The shop cannot reach its sessions at the moment. Try again." },
        });
    }

    [LoggerMessage(EventName = "SessionsUnavailable", Level = LogLevel.Warning, Message = "A request was answered with 503: {Reason}")]
    private partial void LogAway(string reason);
}
