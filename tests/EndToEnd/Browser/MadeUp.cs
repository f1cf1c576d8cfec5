namespace Shop.EndToEnd.Browser;

/// <summary>What a page is answered where a test does not leave it to the shop, as JSON.</summary>
internal static class MadeUp
{
    /// <summary>A payment that waits for a decision: of as many euros as its id says.</summary>
    public static string Review(string id) => $$$"""
        {"paymentId":"{{{id}}}","orderId":"0199c7a2-0000-7000-8000-00000000000{{{id}}}","shopperId":"shopper-{{{id}}}","amount":{"amount":{{{id}}},"currency":"EUR"},"score":0.5,
        "heldAt":"2026-01-01T00:00:00Z","deadline":"2026-01-02T00:00:00Z","rules":[{"rule":"velocity","points":50,"features":{"orders":20}}]}
        """;

    /// <summary>A record of an order that could not be handled.</summary>
    public static string DeadLetter(string order) => $$$"""
        {"id":"0199c7a2-0000-7000-8000-000000000000","endpoint":"inventory.reservations","topic":"orders","partition":3,"offset":41,"key":"{{{order}}}","eventId":"0199c7a2-0000-7000-8000-000000000001","eventType":"shop.orders.order-submitted.v1",
        "error":"Npgsql.PostgresException: 23514: new row violates check constraint","stackTrace":"at Shop.Inventory","payload":{"lines":[]},"failedAt":"2026-01-01T00:00:00Z","status":"parked","parkedBehind":2}
        """;
}
