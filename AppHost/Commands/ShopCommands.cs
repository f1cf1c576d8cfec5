using System.Net.Http.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Shop.AppHost.Commands;

/// <summary>What can be done to a resource with a click in the dashboard, or with <c>aspire resource</c>.</summary>
internal static class ShopCommands
{
    private const int GoodsReceived = 100;
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Orders something, as a shopper would.</summary>
    public static IResourceBuilder<ProjectResource> WithPlaceOrder(this IResourceBuilder<ProjectResource> gateway) =>
        gateway.WithShopCommand("place-order", "Place an order", "Orders two blue mugs as the shopper ada", "Cart", async cancellationToken =>
        {
            using var ada = await GatewayClient.SignInAsync(gateway.GetEndpoint("http"), "ada", [], cancellationToken);
            var order = await ada.SendAsync(HttpMethod.Post, "/api/orders", new
            {
                lines = new[] { new { sku = "mug-blue", quantity = 2 } },
                payment = new { token = "tok_visa" },
                shipTo = new { name = "Ada Lovelace", street = "12 St James Square", city = "London", postalCode = "SW1Y 4JH", country = "GB" },
            }, cancellationToken);
            return $"Order {order.GetProperty("id").GetString()}";
        });

    /// <summary>Books goods in, as an operator would.</summary>
    public static IResourceBuilder<ProjectResource> WithReceiveGoods(this IResourceBuilder<ProjectResource> inventory, IResourceBuilder<ProjectResource> gateway) =>
        inventory.WithShopCommand("receive-goods", "Receive goods", $"Books {GoodsReceived} blue mugs in", "BoxArrowUp", async cancellationToken =>
        {
            using var operations = await GatewayClient.SignInAsync(gateway.GetEndpoint("http"), "dashboard", ["operator"], cancellationToken);
            await operations.SendAsync(HttpMethod.Post, "/api/ops/stock/mug-blue/receipts", new { quantity = GoodsReceived }, cancellationToken);
            return $"{GoodsReceived} mug-blue received";
        });

    /// <summary>Has the service play its dead letters again, and what waits behind them.</summary>
    public static IResourceBuilder<ProjectResource> WithRedrive(this IResourceBuilder<ProjectResource> service, IResourceBuilder<ProjectResource> gateway) =>
        service.WithShopCommand("redrive", "Redrive dead letters", "Plays what could not be handled again, and what waits behind it", "ArrowRepeatAll", async cancellationToken =>
        {
            using var operations = await GatewayClient.SignInAsync(gateway.GetEndpoint("http"), "dashboard", ["operator"], cancellationToken);
            var letters = $"/api/ops/{service.Resource.Name}/dead-letters";
            var redrive = await operations.SendAsync(HttpMethod.Post, $"{letters}/redrive", new { }, cancellationToken);
            while (redrive.GetProperty("status").GetString() == "running")
            {
                await Task.Delay(LookAgainAfter, cancellationToken);
                redrive = await operations.SendAsync(HttpMethod.Get, $"{letters}/redrives/{redrive.GetProperty("id").GetString()}", null, cancellationToken);
            }
            return $"{redrive.GetProperty("redriven")} of {redrive.GetProperty("total")} dead letters redriven, {redrive.GetProperty("failed")} failed again";
        });

    /// <summary>Makes the provider slow, and quick again. To take it away altogether is Aspire's own command Stop.</summary>
    public static IResourceBuilder<ProjectResource> WithPace(this IResourceBuilder<ProjectResource> provider) => provider
        .WithShopCommand("slow-down", "Slow down", $"Every authorisation takes {Slow.TotalSeconds:0} s", "Clock", cancellationToken => SetPaceAsync(provider, Slow, cancellationToken))
        .WithShopCommand("speed-up", "Speed up", "Authorisations take as long as their token says", "TopSpeed", cancellationToken => SetPaceAsync(provider, TimeSpan.Zero, cancellationToken));

    private static async Task<string> SetPaceAsync(IResourceBuilder<ProjectResource> provider, TimeSpan pace, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = new Uri(provider.GetEndpoint("http").Url) };
        using var response = await client.PutAsJsonAsync("/v1/pace", new { answerDelaySeconds = pace.TotalSeconds }, cancellationToken);
        response.EnsureSuccessStatusCode();
        return $"Answers take {pace.TotalSeconds:0} s at least";
    }

    private static IResourceBuilder<ProjectResource> WithShopCommand(
        this IResourceBuilder<ProjectResource> resource, string name, string title, string description, string icon, Func<CancellationToken, Task<string>> act) =>
        resource.WithCommand(name, title, async context =>
        {
            try
            {
                return CommandResults.Success(await act(context.CancellationToken));
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
}
