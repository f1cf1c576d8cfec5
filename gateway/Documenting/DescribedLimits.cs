using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;
using Shop.Gateway.Edge;
using Shop.ServiceDefaults.OpenApi;

namespace Shop.Gateway.Documenting;

/// <summary>Says of each operation which rate limits it counts against, as <see cref="RateLimits"/> tells them of requests, and what is answered beyond them.</summary>
internal static class DescribedLimits
{
    /// <summary>The member of an operation that programs read: an array of <c>{"limit","perSecond","burst"}</c>.</summary>
    private const string Extension = "x-rate-limit";

    private const string TooMany = "Too many requests at once: `Retry-After` says when to ask again.";

    /// <summary>Whatever is asked may be asked too often.</summary>
    public static void AddTo(JsonObject document, RateLimits limits)
    {
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, member) in operations!.AsObject())
            {
                if (member is not JsonObject operation)
                    continue;
                Describe(operation, RateLimits.OfDevice(path), "of the device at its address", limits);
                Describe(operation, RateLimits.OfClient(method, path), "of the shopper, or of the address where nobody is signed in", limits);
                AddRefusal(operation);
            }
        }
    }

    private static void Describe(JsonObject operation, string? name, string whose, RateLimits limits)
    {
        if (name is null)
            return;
        var limit = limits.Named(name);
        var text = string.Create(CultureInfo.InvariantCulture, $"Counts against the rate limit `{name}` {whose}: {limit.PerSecond:N0} a second, {limit.Burst:N0} at once after a pause.");
        operation["description"] = operation["description"]?.GetValue<string>() is { Length: > 0 } said ? $"{said}\n\n{text}" : text;
        if (operation[Extension] is not JsonArray all)
            operation[Extension] = all = new JsonArray();
        all.Add((JsonNode)new JsonObject { ["limit"] = name, ["perSecond"] = limit.PerSecond, ["burst"] = limit.Burst });
    }

    private static void AddRefusal(JsonObject operation)
    {
        if (operation["responses"] is not JsonObject responses)
            operation["responses"] = responses = [];
        // a service has a limit of its own for some
        if (responses["429"] is JsonObject own)
        {
            own["description"] = $"{own["description"]} {TooMany}";
            return;
        }
        responses["429"] = new JsonObject
        {
            ["description"] = TooMany,
            ["headers"] = new JsonObject
            {
                [HeaderNames.RetryAfter] = new JsonObject { ["description"] = DescribedHeaders.RetryAfter, ["required"] = true, ["schema"] = new JsonObject { ["type"] = "integer" } },
            },
            ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/ProblemDetails" } } },
        };
    }
}
