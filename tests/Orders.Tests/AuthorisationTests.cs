using Shop.Testing.Routes;

namespace Shop.Orders.Tests;

/// <summary>Who may use which route, asked past the gateway.</summary>
public sealed class AuthorisationTests(OrdersFixture fixture)
{
    [Fact]
    public async Task Every_route_answers_every_caller_as_its_row_says()
    {
        var service = await fixture.GetAsync();
        var order = (await service.Http.SubmitAsync(CallerTokens.ShopperName)).Id;
        var matrix = new AuthorisationMatrix(service.Services, service.Http);
        await matrix.HoldsAsync(
        [
            .. AuthorisationMatrix.OfEveryProcess, .. AuthorisationMatrix.OfMessaging("orders"),
            new("GET /api/orders", Access.SignedIn, 200),
            new("POST /api/orders", Access.SignedIn, 202, Body: Requests.Body()),
            new("GET /api/orders/{id}", Access.Owner, 200, $"/api/orders/{order}"),
            new("GET /api/orders/{id}/stream", Access.Owner, 200, $"/api/orders/{order}/stream"),
            new("GET /api/orders/{id}/timeline", Access.OwnerOrOperator, 200, $"/api/orders/{order}/timeline"),
            new("POST /api/orders/{id}/cancel", Access.Owner, 202, $"/api/orders/{order}/cancel"),
            new("GET /api/ops/orders", Access.Operator, 200),
            new("GET /api/ops/orders/stuck", Access.Operator, 200),
            new("POST /api/ops/orders/{id}/repair", Access.Operator, 404, $"/api/ops/orders/{Guid.Empty}/repair"),
        ]);
    }
}
