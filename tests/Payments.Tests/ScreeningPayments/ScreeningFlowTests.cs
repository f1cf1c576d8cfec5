using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>Screening between a real broker, a real database and the real provider.</summary>
public sealed class ScreeningFlowTests(PostgresFixture postgres)
{
    private static readonly PaymentState[] Stopped = [PaymentState.Held, PaymentState.Declined];

    [Fact]
    public async Task What_looks_suspicious_is_held_with_its_grounds_and_the_provider_is_not_asked()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();

        var held = await TestCardsAsync(shop, payments, 5);

        await Eventually.BecomesAsync("PaymentHeld", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
        var heard = JsonSerializer.Deserialize(shop.Orders.Events(Topics.Payments).Single(e => e.OrderId == held.OrderId).Body, ContractsJson.Default.PaymentHeld)!;
        Assert.InRange(heard.Score, 0.5, 0.9);
        var rule = Assert.Single(heard.Rules!, rule => rule.Rule == "CardTesting");
        Assert.Equal(heard.Reasons, heard.Rules!.Select(fired => fired.Rule));
        Assert.InRange(rule.Features["declinedCards"], 1, 4);
        var stored = (await payments.FindAsync(held.PaymentId))!;
        Assert.Equal((heard.Score, heard.Rules!.Count, 0), (stored.Score, stored.Rules.Count, stored.RulesVersion));
        Assert.Equal("", await shop.Provider.LedgerOfAsync(held.PaymentId));
        using var olga = payments.CreateOperator();
        foreach (var id in (Guid[])[held.PaymentId, held.OrderId])
        {
            var seen = await olga.GetFromJsonAsync<JsonElement>($"/api/ops/payments/{id}", TestContext.Current.CancellationToken);
            Assert.Equal((held.PaymentId, held.OrderId, "held"), (seen.GetProperty("paymentId").GetGuid(), seen.GetProperty("orderId").GetGuid(), seen.GetProperty("state").GetString()));
            Assert.Contains(seen.GetProperty("rules").EnumerateArray(), fired => fired.GetProperty("rule").GetString() == "CardTesting");
        }
        // an order that is repaired hears it again
        await shop.Orders.PublishAsync(held);
        await Eventually.BecomesAsync("PaymentHeld,PaymentHeld", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
    }

    [Long]
    [Fact]
    public async Task What_is_remembered_survives_a_restart_and_is_shared_by_instances()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var first = shop.StartPayments();
        for (var i = 0; i < 3; i++)
            await PayAndSettleAsync(shop, first, Card(i));
        await first.DisposeAsync();

        // another process, and then two of them with partitions that moved: the attack goes on, and is seen
        var second = shop.StartPayments();
        await PayAndSettleAsync(shop, second, Card(3));
        shop.StartPayments();
        for (var i = 4; i < 10; i++)
            await PayAndSettleAsync(shop, second, Card(i));

        var states = await second.QueryAsync(db => db.Payments.OrderBy(payment => payment.PaymentId).Select(payment => payment.State).ToListAsync());
        Assert.Contains(states.Take(5), state => state == PaymentState.Held);
        Assert.All(states.SkipWhile(state => state != PaymentState.Held), state => Assert.Contains(state, Stopped));

        static PaymentRequested Card(int i) => OrdersStandIn.Request(i % 2 == 1 ? $"tok_declined_c{i}" : $"tok_visa_c{i}", "tester", "device", "address", isFirst: true);
    }

    [Long]
    [Fact]
    public async Task Card_testing_is_caught_through_rebalances_in_its_middle()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var first = shop.StartPayments();
        var outcomes = new List<PaymentState>();
        await AttackAsync(3, first);
        var assignments = Assignments();
        var second = shop.StartPayments();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Assignments() > assignments));
        await AttackAsync(6, second);
        await first.DisposeAsync();
        await AttackAsync(6, second);

        Assert.Contains(outcomes.Take(5), state => Stopped.Contains(state) && state == PaymentState.Held);
        Assert.All(outcomes.Skip(5), state => Assert.Contains(state, Stopped));

        int Assignments() => shop.Logs.Text.Split("PartitionsAssigned").Length;

        async Task AttackAsync(int cards, PaymentsInstance reader)
        {
            for (var i = 0; i < cards; i++)
            {
                var card = outcomes.Count;
                outcomes.Add(await PayAndSettleAsync(shop, reader, OrdersStandIn.Request(card % 2 == 1 ? $"tok_declined_c{card}" : $"tok_visa_c{card}", "tester", "device", "address", isFirst: true)));
            }
        }
    }

    [Long]
    [Fact]
    public async Task The_same_stream_gets_the_same_decisions_in_one_go_with_a_restart_and_with_a_rebalance()
    {
        var requests = Stream();
        var inOneGo = await PlayAsync(requests, async (shop, _) => await shop.Orders.PublishAsync([.. requests]));
        var restarted = await PlayAsync(requests, async (shop, payments) =>
        {
            await shop.Orders.PublishAsync([.. requests.Take(40)]);
            await Eventually.BecomesAsync(40, () => payments.QueryAsync(db => db.Payments.CountAsync()));
            await payments.DisposeAsync();
            await shop.Orders.PublishAsync([.. requests.Skip(40)]);
            shop.StartPayments();
        });
        var rebalanced = await PlayAsync(requests, async (shop, _) =>
        {
            await shop.Orders.PublishAsync([.. requests.Take(30)]);
            shop.StartPayments();
            await shop.Orders.PublishAsync([.. requests.Skip(30)]);
        });
        Assert.Contains(inOneGo.Values, decision => decision.Contains("FreshAccounts", StringComparison.Ordinal));
        Assert.Equal(inOneGo, restarted);
        Assert.Equal(inOneGo, rebalanced);
    }

    [Fact]
    public async Task A_cancelled_order_ends_its_review()
    {
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments();
        var held = await TestCardsAsync(shop, payments, 5);

        await shop.Orders.PublishAsync(new OrderCancelled(held.OrderId, "Cancelled by the shopper"));

        await Eventually.BecomesAsync("PaymentHeld,PaymentVoided", () => shop.Orders.PaymentEventsOfAsync(held.OrderId));
        Assert.Equal(PaymentState.Voided, await payments.StateAsync(held.PaymentId));
        Assert.Equal("", await shop.Provider.LedgerOfAsync(held.PaymentId));
    }

    /// <summary>Tries out cards, every second of which the bank refuses, until one is held: that one, which the bank would not refuse.</summary>
    internal static async Task<PaymentRequested> TestCardsAsync(TestShop shop, PaymentsInstance payments, int atMost)
    {
        for (var i = 0; i < atMost; i++)
        {
            var request = OrdersStandIn.Request(i % 2 == 1 ? $"tok_declined_c{i}" : $"tok_visa_c{i}", "tester", "device", "address", isFirst: true);
            if (await PayAndSettleAsync(shop, payments, request) == PaymentState.Held)
                return request;
        }
        throw new InvalidOperationException("No payment was held");
    }

    /// <summary>Whatever becomes of it: authorised, declined or held.</summary>
    private static async Task<PaymentState> PayAndSettleAsync(TestShop shop, PaymentsInstance payments, PaymentRequested request)
    {
        await shop.Orders.PublishAsync(request);
        PaymentState? state = null;
        await Eventually.BecomesTrueAsync(async () => (state = await payments.StateAsync(request.PaymentId)) is PaymentState.Authorized or PaymentState.Declined or PaymentState.Held);
        return state!.Value;
    }

    /// <summary>Accounts of few devices, all of orders in one partition: what is handled side by side has no order among itself.</summary>
    private static List<PaymentRequested> Stream()
    {
        var order = Guid.CreateVersion7();
        return [.. Enumerable.Range(0, 80).Select(i => OrdersStandIn.Request("tok_visa", $"account-{i}", $"device-{i % 11}", $"address-{i}", isFirst: true, order: SamePartition(order)))];
    }

    /// <summary>Another id in the partition of <paramref name="order"/>.</summary>
    private static Guid SamePartition(Guid order)
    {
        Guid another;
        do
            another = Guid.CreateVersion7();
        while (Partition(another) != Partition(order));
        return another;
    }

    /// <summary>The topic's partition of a key: Kafka's default partitioner, MurmurHash2.</summary>
    private static uint Partition(Guid key)
    {
        const uint M = 0x5bd1e995;
        var bytes = System.Text.Encoding.UTF8.GetBytes(key.ToString());
        var hash = 0x9747b28c ^ (uint)bytes.Length;
        // a Guid's 36 characters are whole words
        foreach (var word in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(bytes))
        {
            var k = word * M;
            hash = (hash * M) ^ ((k ^ (k >> 24)) * M);
        }
        hash = (hash ^ (hash >> 13)) * M;
        return ((hash ^ (hash >> 15)) & 0x7fffffff) % 6;
    }

    private async Task<Dictionary<Guid, string>> PlayAsync(List<PaymentRequested> requests, Func<TestShop, PaymentsInstance, Task> play)
    {
        await using var shop = await TestShop.StartAsync(postgres, providerIsUp: false);
        await play(shop, shop.StartPayments());
        var reader = shop.StartPayments();
        await Eventually.BecomesAsync(requests.Count, () => reader.QueryAsync(db => db.Payments.CountAsync()));
        var payments = await reader.QueryAsync(db => db.Payments.AsNoTracking().ToListAsync());
        return payments.OrderBy(payment => payment.PaymentId).ToDictionary(payment => payment.PaymentId,
            payment => $"{(Stopped.Contains(payment.State) ? payment.State : PaymentState.Authorizing)} {payment.Score} {JsonSerializer.Serialize(payment.Rules)}");
    }
}
