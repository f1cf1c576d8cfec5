using System.Net.Http.Headers;
using Shop.Testing;

namespace Shop.Orders.Tests.RepairingOrders;

/// <summary>Requests of an operator.</summary>
internal static class Operators
{
    public static async Task<Answer> AskAsync(this HttpClient http, HttpMethod method, string path, HttpContent? content = null, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? TestTokens.Operator());
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return new(response.StatusCode, response.Headers.Location?.ToString(), response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public static Task<Answer> RepairAsync(this HttpClient http, Guid order) => http.AskAsync(HttpMethod.Post, $"/api/ops/orders/{order}/repair");

    /// <summary>The stuck orders, read page by page.</summary>
    public static async Task<IReadOnlyDictionary<Guid, System.Text.Json.JsonElement>> StuckAsync(this HttpClient http, int limit = 200)
    {
        var found = new Dictionary<Guid, System.Text.Json.JsonElement>();
        string? after = null;
        do
        {
            var page = await http.AskAsync(HttpMethod.Get, $"/api/ops/orders/stuck?limit={limit}{(after is null ? "" : $"&after={after}")}");
            Assert.Equal(System.Net.HttpStatusCode.OK, page.Status);
            foreach (var order in page.Json.GetProperty("items").EnumerateArray())
                found.Add(order.GetProperty("id").GetGuid(), order);
            after = page.Json.GetProperty("next").GetString();
        }
        while (after is not null);
        return found;
    }
}
