using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Messaging.WarmUp;

/// <summary>Requests that come from no connection: they go to a route's handler, in the rehearsal's scope.</summary>
internal sealed class RehearsedRequests(IServiceProvider services)
{
    private const string Shopper = "warm-up";

    /// <summary>Sends one and returns the answer's body.</summary>
    /// <exception cref="InvalidOperationException">There is no such route, or the answer is no success.</exception>
    public async Task<byte[]> SendAsync(string method, string pattern, IReadOnlyDictionary<string, string>? routeValues, string? body,
        IHeaderDictionary? headers, CancellationToken cancellationToken)
    {
        var route = services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().FirstOrDefault(endpoint =>
            endpoint.RoutePattern.RawText == pattern && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains(method) == true)
            ?? throw new InvalidOperationException($"There is no route {method} {pattern}");
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, RequestAborted = cancellationToken };
        context.Response.Body = answer;
        context.Request.Method = method;
        context.Request.Path = pattern;
        context.Request.Scheme = Uri.UriSchemeHttp;
        foreach (var header in headers ?? new HeaderDictionary())
            context.Request.Headers[header.Key] = header.Value;
        foreach (var (name, value) in routeValues ?? new Dictionary<string, string>())
            context.Request.RouteValues[name] = value;
        if (body is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            context.Request.Body = new MemoryStream(bytes);
            context.Request.ContentLength = bytes.Length;
            context.Request.ContentType = "application/json";
            context.Features.Set<IHttpRequestBodyDetectionFeature>(WithBody.Instance);
        }
        context.SetEndpoint(route);
        context.User = await SignInAsync(context);
        await route.RequestDelegate!(context);
        await context.Response.BodyWriter.FlushAsync(cancellationToken);
        return context.Response.StatusCode < StatusCodes.Status400BadRequest
            ? answer.ToArray()
            : throw new InvalidOperationException($"{method} {pattern} was answered with {context.Response.StatusCode}: {Encoding.UTF8.GetString(answer.ToArray())}");
    }

    /// <summary>By a token, where the service takes tokens that can be made here: verifying them is a part of every request.</summary>
    private async Task<ClaimsPrincipal> SignInAsync(HttpContext context)
    {
        var key = DevelopmentTokens.SigningKey(services.GetRequiredService<IConfiguration>(), services.GetRequiredService<IHostEnvironment>());
        if (key is not null)
        {
            var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
            context.Request.Headers.Authorization = $"Bearer {DevelopmentTokens.Issue(key, Shopper, [Policies.OperatorRole], now)}";
            if (await context.AuthenticateAsync() is { Succeeded: true, Principal: { } verified })
                return verified;
        }
        return new(new ClaimsIdentity([new(ShopClaims.Subject, Shopper)], authenticationType: Shopper));
    }

    private sealed class WithBody : IHttpRequestBodyDetectionFeature
    {
        public static readonly WithBody Instance = new();

        public bool CanHaveBody => true;
    }
}
