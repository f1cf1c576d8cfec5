using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Shop.ServiceDefaults.Problems;

/// <summary>Names the part of a request that ASP.NET Core could not bind to a handler's parameter.</summary>
/// <remarks>
/// The framework tells only in its message which parameter it was ("Failed to bind parameter "int limit" from "x"."), and
/// which members are missing; both texts are part of the tests.
/// </remarks>
internal static partial class UnreadableRequest
{
    private const string Body = "body";

    /// <summary>The answer to <paramref name="exception"/>.</summary>
    public static ProblemDetails Describe(HttpContext context, BadHttpRequestException exception)
    {
        if (exception.InnerException is JsonException json)
            return Invalid([.. JsonErrors(json)]);
        if (exception.StatusCode != StatusCodes.Status400BadRequest)
            return new() { Status = exception.StatusCode };

        var name = ParameterName().Match(exception.Message) is { Success: true } match ? match.Groups[1].Value : null;
        if (name is null)
            return Invalid((Body, "Cannot be read."));
        // the exception handler has taken endpoint and route values off the context
        var failed = context.Features.Get<IExceptionHandlerFeature>();
        if (failed?.RouteValues?.ContainsKey(name) == true)
            return new() { Status = StatusCodes.Status404NotFound };
        if (exception.Message.Contains("body", StringComparison.Ordinal))
            return Invalid((Body, "Is missing."));

        return Invalid((PublicName(failed?.Endpoint, name), exception.Message.StartsWith("Required", StringComparison.Ordinal)
            ? "Is missing."
            : "Has the wrong type or is out of range."));
    }

    private static HttpValidationProblemDetails Invalid(params (string Field, string Message)[] errors) =>
        new(errors.ToDictionary(error => error.Field, error => new[] { error.Message }))
        {
            Status = StatusCodes.Status400BadRequest,
        };

    /// <summary>What the client calls the parameter: the header's or query parameter's name.</summary>
    private static string PublicName(Endpoint? endpoint, string parameter)
    {
        var attributes = endpoint?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>()
            .FirstOrDefault(binding => binding.Name == parameter)?.ParameterInfo.GetCustomAttributes(inherit: true) ?? [];
        return attributes.OfType<IFromHeaderMetadata>().FirstOrDefault()?.Name
            ?? attributes.OfType<IFromQueryMetadata>().FirstOrDefault()?.Name
            ?? JsonNamingPolicy.CamelCase.ConvertName(parameter);
    }

    private static IEnumerable<(string Field, string Message)> JsonErrors(JsonException exception)
    {
        var path = CamelCase(exception.Path);
        if (MissingMembers().Match(exception.Message) is { Success: true } missing)
        {
            foreach (var name in QuotedName().Matches(missing.Groups[1].Value).Select(quoted => quoted.Groups[1].Value))
                yield return (path.Length == 0 ? name : $"{path}.{name}", "Is missing.");
        }
        else
        {
            yield return (path.Length == 0 ? Body : path, Message(exception.Message));
        }
    }

    /// <summary>Turns <c>$.Lines[0].Quantity</c> into <c>lines[0].quantity</c>.</summary>
    private static string CamelCase(string? jsonPath)
    {
        var path = (jsonPath ?? "").AsSpan().TrimStart('$').TrimStart('.').ToString();
        return SegmentStart().Replace(path, segment => segment.Value.ToLowerInvariant());
    }

    /// <summary>The serializer's message without its position, and without the name of our type.</summary>
    private static string Message(string message)
    {
        var end = message.IndexOf(" Path: $", StringComparison.Ordinal);
        var text = end < 0 ? message : message[..end];
        if (UnknownMember().Match(text) is { Success: true } unknown)
            return $"Has no member '{unknown.Groups[1].Value}'.";
        if (text.Contains("null values", StringComparison.Ordinal))
            return "Must not be null.";
        if (text.Contains("could not be converted", StringComparison.Ordinal) || text.Contains("deserialization", StringComparison.Ordinal))
            return "Has the wrong type, is unknown or is out of range.";
        // advice for those who call the serializer
        return ReaderAdvice().Replace(text, "");
    }

    [GeneratedRegex(@"parameter ""(?:[^""]* )?([^"" ]+)""")]
    private static partial Regex ParameterName();

    [GeneratedRegex("missing required properties including: (.*)")]
    private static partial Regex MissingMembers();

    [GeneratedRegex("^The JSON property '([^']*)' could not be mapped to any .NET member")]
    private static partial Regex UnknownMember();

    [GeneratedRegex(@" (?:Change the reader options|Consider)[^.]*\.")]
    private static partial Regex ReaderAdvice();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex QuotedName();

    [GeneratedRegex(@"(?<=^|\.)[A-Z]")]
    private static partial Regex SegmentStart();
}
