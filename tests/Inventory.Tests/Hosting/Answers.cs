using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Shop.Inventory.Tests.Hosting;

/// <summary>What tests look at in an answer.</summary>
public static class Answers
{
    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer) =>
        await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

    /// <summary>ProblemDetails of that status which names that field, and no other.</summary>
    public static async Task<JsonElement> AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string? field)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.JsonAsync();
        if (field is not null)
            Assert.Equal([field], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        return problem;
    }

    /// <summary>404, which names what there is not.</summary>
    public static async Task AssertUnknownAsync(HttpResponseMessage answer, string name)
    {
        var problem = await AssertProblemAsync(answer, HttpStatusCode.NotFound, field: null);
        Assert.EndsWith($" {name}.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    /// <summary>The numbers of a stock answer.</summary>
    public static (int OnHand, int Reserved, int Available, int Dispatched) Levels(this JsonElement stock) =>
        (stock.GetProperty("onHand").GetInt32(), stock.GetProperty("reserved").GetInt32(),
            stock.GetProperty("available").GetInt32(), stock.GetProperty("dispatched").GetInt32());
}
