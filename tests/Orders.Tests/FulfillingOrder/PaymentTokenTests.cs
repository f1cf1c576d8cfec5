using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Orders.RecordingHistory;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.FulfillingOrder;

/// <summary>The token for a means of payment is kept for as long as the payment may be asked for, and never in a history.</summary>
public sealed class PaymentTokenTests(OrdersFixture fixture)
{
    private static readonly PaymentTokenOpener Opener = new(TestPaymentKeys.Private);

    [Theory]
    [InlineData(true, "order-confirmed")]
    [InlineData(false, "order-cancelled")]
    public async Task A_token_is_erased_when_its_payment_is_decided(bool authorized, string last)
    {
        var service = await fixture.GetAsync();
        var id = (await service.Http.SubmitAsync(NewShopper())).Id;
        await service.ProduceAsync(new StockReserved(id, [new("mug-blue", 2)]));
        service.PublishedUntil("shop.orders.payment-requested.v1", id);
        var kept = await TokenAsync(service, id);
        Assert.DoesNotContain("tok_", kept!, StringComparison.Ordinal);
        Assert.Equal("tok_visa", Opener.Open(await service.QueryAsync(db => db.Orders.Where(order => order.CorrelationId == id).Select(order => order.PaymentId).SingleAsync()), kept!));

        if (authorized)
            await service.ProduceAsync(new PaymentAuthorized(id, id, new(19, "EUR")));
        else
            await service.ProduceAsync(new PaymentDeclined(id, id, "card_declined"));

        service.PublishedUntil($"shop.orders.{last}.v1", id);
        Assert.Null(await TokenAsync(service, id));
        await Eventually.BecomesAsync(true, async () => (await HistoryAsync(service, id)).Exists(e => e.Type == $"shop.orders.{last}.v1"));
        Assert.DoesNotContain("tok_", string.Concat((await HistoryAsync(service, id)).Select(e => e.Data)), StringComparison.Ordinal);
    }

    private static Task<string?> TokenAsync(OrdersService service, Guid id) =>
        service.QueryAsync(db => db.Orders.Where(order => order.CorrelationId == id).Select(order => order.PaymentToken).SingleAsync());

    private static Task<List<OrderEvent>> HistoryAsync(OrdersService service, Guid id) =>
        service.QueryAsync(db => db.HistoryOfAsync(id, TestContext.Current.CancellationToken));
}
