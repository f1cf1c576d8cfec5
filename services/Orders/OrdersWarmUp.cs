using System.Text.Json;
using Shop.Contracts;
using Shop.Messaging.WarmUp;
using Shop.Orders.SubmittingOrder;

namespace Shop.Orders;

/// <summary>An order from its submission to its fulfilment, read in between.</summary>
internal sealed class OrdersWarmUp(OrdersDb db, TimeProvider time) : IWarmUp
{
    public async Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken)
    {
        var (sku, price) = ($"warm-up-{Guid.CreateVersion7():N}", new Money(1, "EUR"));
        db.Products.Add(new() { Sku = sku, Price = price.Amount, Currency = price.Currency });
        await db.SaveChangesAsync(cancellationToken);

        var accepted = await rehearsal.RequestAsync("POST", "/api/orders", cancellationToken,
            body: $$$"""{"lines":[{"sku":"{{{sku}}}","quantity":1}],"payment":{"token":"tok_warm_up"},"shipTo":{"name":"A","street":"1","city":"B","postalCode":"1","country":"DE"}}""",
            headers: new HeaderDictionary { [SubmitOrderRules.IdempotencyKeyHeader] = sku });
        using var answer = JsonDocument.Parse(accepted);
        var id = answer.RootElement.GetProperty("id").GetGuid();
        await rehearsal.RequestAsync("GET", "/api/orders/{id:guid}", cancellationToken, new Dictionary<string, string> { ["id"] = id.ToString() });

        object[] events =
        [
            new OrderSubmitted(id, "warm-up", [new(sku, 1, price)], price, new("A", "1", "B", "1", "DE"), time.GetUtcNow()),
            new StockReserved(id, [new(sku, 1)]),
            new PaymentAuthorized(id, Guid.CreateVersion7(), price),
            new StockDispatched(id, [new(sku, 1)]),
            new PaymentCaptured(id, Guid.CreateVersion7(), price),
        ];
        await rehearsal.HandleAsync("fulfilment", events, cancellationToken);
        await rehearsal.HandleAsync("history", events, cancellationToken);
    }
}
