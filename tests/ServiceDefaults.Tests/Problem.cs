using System.Net;
using System.Text.Json;

namespace Shop.ServiceDefaults.Tests;

/// <summary>A ProblemDetails answer, as a client sees it.</summary>
public sealed record Problem(int Status, string? Type, string? Title, string? Detail, Dictionary<string, string[]>? Errors)
{
    /// <summary>Reads the answer, after checking that it is one.</summary>
    public static async Task<Problem> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(expected == response.StatusCode, $"{(int)response.StatusCode} instead of {(int)expected}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<Problem>(text, JsonSerializerOptions.Web)!;
        Assert.Equal((int)expected, problem.Status);
        Assert.False(string.IsNullOrEmpty(problem.Title), text);
        Assert.StartsWith($"https://tools.ietf.org/html/{(expected == HttpStatusCode.TooManyRequests ? "rfc6585" : "rfc9110")}#", problem.Type, StringComparison.Ordinal);
        return problem;
    }
}
