using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Shop.Testing.Routes;

/// <summary>The routes that a process has, by the names that its OpenAPI document gives them.</summary>
public static partial class RouteTable
{
    /// <summary>In place of a method: the route takes every one.</summary>
    public const string AnyMethod = "ANY";

    /// <summary>Every route of the process, what it passes on among them.</summary>
    public static IEnumerable<RouteEndpoint> Of(IServiceProvider services) => services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    /// <summary>The methods that the route takes.</summary>
    public static IReadOnlyList<string> Methods(RouteEndpoint route) => route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : [AnyMethod];

    /// <summary>The route's path as it is written in the document: without constraints, and without a slash at the end.</summary>
    public static string Path(RouteEndpoint route) => "/" + Constraint().Replace(route.RoutePattern.RawText!, "{$1}").Trim('/');

    [GeneratedRegex(@"\{\*{0,2}([a-zA-Z]+)(:[^}]*)?\}")]
    private static partial Regex Constraint();
}
