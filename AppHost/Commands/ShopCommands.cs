using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.AppHost.Commands;

/// <summary>What can be done to a resource with a click in the dashboard, or with <c>aspire resource</c>.</summary>
internal static class ShopCommands
{
    private const int GoodsReceived = 100;
    private const int SlowSeconds = 3;
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Orders something, as a shopper would.</summary>
    public static IResourceBuilder<ProjectResource> WithPlaceOrder(this IResourceBuilder<ProjectResource> gateway) =>
        gateway.WithShopCommand("place-order", "Place an order", "Orders two blue mugs as the shopper ada", "Cart", gateway, async (http, cancellationToken) =>
        {
            await http.SignInAsync("ada", [], cancellationToken);
            var order = await http.RequestAsync(HttpMethod.Post, "/api/orders", new
            {
                lines = new[] { new { sku = "mug-blue", quantity = 2 } },
                payment = new { token = "tok_visa" },
                shipTo = new { name = "Ada Lovelace", street = "12 St James Square", city = "London", postalCode = "SW1Y 4JH", country = "GB" },
            }, cancellationToken);
            return $"Order {order.GetProperty("id").GetString()}";
        });

    /// <summary>Books goods in, as an operator would.</summary>
    public static IResourceBuilder<ProjectResource> WithReceiveGoods(this IResourceBuilder<ProjectResource> inventory, IResourceBuilder<ProjectResource> gateway) =>
        inventory.WithShopCommand("receive-goods", "Receive goods", $"Books {GoodsReceived} blue mugs in", "BoxArrowUp", gateway, async (http, cancellationToken) =>
        {
            await http.SignInAsync("dashboard", ["operator"], cancellationToken);
            await http.RequestAsync(HttpMethod.Post, "/api/ops/stock/mug-blue/receipts", new { quantity = GoodsReceived }, cancellationToken);
            return $"{GoodsReceived} mug-blue received";
        });

    /// <summary>Has the service play its dead letters again, and what waits behind them.</summary>
    public static IResourceBuilder<ProjectResource> WithRedrive(this IResourceBuilder<ProjectResource> service, IResourceBuilder<ProjectResource> gateway) =>
        service.WithShopCommand("redrive", "Redrive dead letters", "Plays what could not be handled again, and what waits behind it", "ArrowRepeatAll", gateway, async (http, cancellationToken) =>
        {
            await http.SignInAsync("dashboard", ["operator"], cancellationToken);
            var letters = $"/api/ops/{service.Resource.Name}/dead-letters";
            var redrive = await http.RequestAsync(HttpMethod.Post, $"{letters}/redrive", new { }, cancellationToken);
            while (redrive.GetProperty("status").GetString() == "running")
            {
                await Task.Delay(LookAgainAfter, cancellationToken);
                redrive = await http.RequestAsync(HttpMethod.Get, $"{letters}/redrives/{redrive.GetProperty("id").GetString()}", null, cancellationToken);
            }
            return $"{redrive.GetProperty("redriven")} of {redrive.GetProperty("total")} dead letters redriven, {redrive.GetProperty("failed")} failed again";
        });

    /// <summary>Makes the provider slow, and quick again. To take it away altogether is Aspire's own command Stop.</summary>
    public static IResourceBuilder<ProjectResource> WithPace(this IResourceBuilder<ProjectResource> provider) => provider
        .WithPace("slow-down", "Slow down", $"Every authorisation takes {SlowSeconds} s", "Clock", SlowSeconds)
        .WithPace("speed-up", "Speed up", "Authorisations take as long as their token says", "TopSpeed", 0);

    private static IResourceBuilder<ProjectResource> WithPace(this IResourceBuilder<ProjectResource> provider, string name, string title, string description, string icon, int seconds) =>
        provider.WithShopCommand(name, title, description, icon, provider, async (http, cancellationToken) =>
        {
            await http.RequestAsync(HttpMethod.Put, "/v1/pace", new { answerDelaySeconds = seconds }, cancellationToken);
            return $"Answers take {seconds} s at least";
        });

    private static IResourceBuilder<ProjectResource> WithShopCommand(
        this IResourceBuilder<ProjectResource> resource, string name, string title, string description, string icon, IResourceBuilder<ProjectResource> asked, Func<HttpClient, CancellationToken, Task<string>> act) =>
        resource.WithCommand(name, title, async context =>
        {
            using var http = new HttpClient { BaseAddress = new Uri(asked.GetEndpoint("http").Url) };
            http.DefaultRequestHeaders.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
            try
            {
                return CommandResults.Success(await act(http, context.CancellationToken));
            }
            catch (HttpRequestException refused)
            {
                return CommandResults.Failure(refused.Message);
            }
        }, new CommandOptions
        {
            Description = description,
            IconName = icon,
            IsHighlighted = true,
            UpdateState = context => context.ResourceSnapshot.HealthStatus is HealthStatus.Healthy ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });

    /// <summary>As somebody whom the gateway's development sign-in knows.</summary>
    private static async Task SignInAsync(this HttpClient http, string name, string[] roles, CancellationToken cancellationToken)
    {
        var token = await http.RequestAsync(HttpMethod.Post, "/api/dev/token", new { name, roles }, cancellationToken);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.GetProperty("access_token").GetString());
    }

    /// <exception cref="HttpRequestException">It was refused; the message says why.</exception>
    private static async Task<JsonElement> RequestAsync(this HttpClient http, HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await http.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{Reason(answer)} ({method} {path}: {(int)response.StatusCode})");
        return answer.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(answer);
    }

    /// <summary>What a person reads of problem details, or else the answer as it is.</summary>
    private static string Reason(string answer)
    {
        try
        {
            var problem = JsonSerializer.Deserialize<ProblemDetails>(answer, JsonSerializerOptions.Web);
            return problem?.Detail ?? problem?.Title ?? answer;
        }
        catch (JsonException)
        {
            return answer;
        }
    }

    private sealed record ProblemDetails(string? Title, string? Detail);
}
