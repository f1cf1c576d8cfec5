using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Shop.ServiceDefaults.Problems;

/// <summary>
/// Refuses what would otherwise end as a 500, or as a broken connection, further in: a body that is announced too long,
/// JSON in another encoding than UTF-8 (RFC 8259, section 8.1), and in the query U+0000, which PostgreSQL's text cannot hold, and a card's number.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength > ServiceDefaultsExtensions.MaxRequestBodyBytes)
            return RefuseTooLarge(context);
        if (request.ContentLength is not 0 && MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.Charset.HasValue)
        {
            if (!HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            {
                context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
                return Task.CompletedTask;
            }
            // said and checked: whoever reads the body need not make out what was written here
            type.Charset = default;
            request.ContentType = type.ToString();
        }

        if (request.QueryString.HasValue && request.QueryString.Value!.Contains("%00", StringComparison.Ordinal)
            && request.Query.FirstOrDefault(HasNul) is { Key: { } name })
        {
            var errors = new ValidationErrors();
            errors.Add(name.Replace("\0", "", StringComparison.Ordinal), "Must not contain the character U+0000.");
            return errors.ToProblem().ExecuteAsync(context);
        }

        if (request.QueryString.HasValue && request.Query.FirstOrDefault(HasCardNumber) is { Key: { } field })
        {
            var errors = new ValidationErrors();
            errors.Add(CardNumbers.IsIn(field) ? "query" : field, CardNumbers.Refusal);
            return errors.ToProblem().ExecuteAsync(context);
        }

        return request.ContentLength is null && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
            ? ReadThenContinueAsync(context)
            : next(context);
    }

    /// <summary>A chunked body has no length to judge by: it is read, up to the limit, before anything acts on it.</summary>
    private async Task ReadThenContinueAsync(HttpContext context)
    {
        LiftLimit(context);
        var buffer = new byte[ServiceDefaultsExtensions.MaxRequestBodyBytes + 1];
        int length;
        try
        {
            length = await context.Request.Body.ReadAtLeastAsync(
                buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
        }
        catch (IOException unreadable) when (unreadable is not BadHttpRequestException)
        {
            // Kestrel's word for some of what is no chunk, such as a size beyond an int
            throw new BadHttpRequestException("The body cannot be read.", unreadable);
        }
        if (length == buffer.Length)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        context.Request.Body = new MemoryStream(buffer, 0, length, writable: false);
        await next(context);
    }

    private static Task RefuseTooLarge(HttpContext context)
    {
        LiftLimit(context);
        context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
        return Task.CompletedTask;
    }

    /// <summary>
    /// Without its limit Kestrel, once we have answered, reads on for at most five seconds while the client still sends.
    /// With it the connection is closed at once, and many clients then see a reset instead of the answer.
    /// </summary>
    private static void LiftLimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
    }

    private static bool HasNul(KeyValuePair<string, StringValues> parameter) =>
        parameter.Key.Contains('\0', StringComparison.Ordinal)
        || parameter.Value.Any(value => value?.Contains('\0', StringComparison.Ordinal) == true);

    private static bool HasCardNumber(KeyValuePair<string, StringValues> parameter) =>
        CardNumbers.IsIn(parameter.Key) || parameter.Value.Any(value => CardNumbers.IsIn(value));
}
