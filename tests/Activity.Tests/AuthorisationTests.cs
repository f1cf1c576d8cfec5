using Shop.Activity.Tests.Hosting;
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
        var matrix = new AuthorisationMatrix(shop.Services, shop.Client);
        await matrix.HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess, .. AuthorisationMatrix.OfMessaging("activity"),
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
