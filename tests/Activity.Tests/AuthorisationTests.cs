using Shop.Activity.Tests.Hosting;
using Shop.Contracts;
using Shop.Testing;
using Shop.Testing.Routes;

namespace Shop.Activity.Tests;

/// <summary>Who may use which route, asked past the gateway.</summary>
public sealed class AuthorisationTests(ShopFixture shops)
{
    [Fact]
    public async Task Every_route_answers_every_caller_as_its_row_says()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        using var kafka = new KafkaWriter(shop.Kafka);
        var order = Guid.CreateVersion7();
        await kafka.PublishAsync(new OrderSubmitted(order, CallerTokens.ShopperName, [new("mug-blue", 1, new(1, "EUR"))], new(1, "EUR"),
            new("Ada", "Street 1", "London", "N1", "GB"), DateTimeOffset.UnixEpoch));
        await Eventually.BecomesAsync(1, async () => (await shop.TimelineAsync(order, TestTokens.Operator())).Length);
        var matrix = new AuthorisationMatrix(shop.Services, shop.Client);
        await matrix.HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess, .. AuthorisationMatrix.OfMessaging("activity"),
            new("GET /api/orders/{id}/timeline", Access.OwnerOrOperator, 200, $"/api/orders/{order}/timeline"),
            new("POST /api/activity", Access.Anyone, 400, Body: "[]"),
            new("GET /api/activity/summary", Access.Operator, 200),
            new("GET /api/activity/series", Access.Operator, 200),
            new("GET /api/activity/stream", Access.Operator, 200),
            new("GET /api/activity/feed", Access.Operator, 200),
            new("GET /api/activity/timeline", Access.Operator, 400),
            new("GET /api/ops/logs", Access.Operator, 200),
            new("GET /api/ops/alarms", Access.Operator, 200),
            new("POST /api/ops/activity/rebuild", Access.Operator, 400, Body: """{"from":"yesterday"}"""),
            new("GET /api/ops/activity/rebuild", Access.Operator, 200),
            new("DELETE /api/ops/activity/rebuild", Access.Operator, 404),
        ]);
    }
}
