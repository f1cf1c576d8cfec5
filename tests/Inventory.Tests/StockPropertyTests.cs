using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Stock;

namespace Shop.Inventory.Tests;

/// <summary>Whatever events arrive, in whatever order and however often: the sums hold.</summary>
public sealed class StockPropertyTests
{
    private const int Skus = 3, Orders = 6, OnHand = 12, Steps = 40;

    /// <summary>Each row tries 100 random histories, which its number decides.</summary>
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 20)];

    [Theory, MemberData(nameof(Seeds))]
    public void Stock_is_never_negative_and_no_piece_gets_lost(int seed)
    {
        var random = new Random(seed);
        for (var history = 0; history < 100; history++)
            Live(random);
    }

    private static void Live(Random random)
    {
        var moved = new Dictionary<string, (int OnHand, int Reserved, int Dispatched)>();
        var stock = Enumerable.Range(0, Skus).ToDictionary(i => $"sku-{i}", i => new StockItem($"sku-{i}", OnHand));
        var reservations = new Dictionary<int, Reservation>();
        var received = Skus * OnHand;
        for (var step = 0; step < Steps; step++)
        {
            var order = random.Next(Orders);
            var reservation = reservations.GetValueOrDefault(order);
            switch (random.Next(6))
            {
                case 0 or 1:
                    // one sku too many, quantities from broken to more than there is
                    var lines = Enumerable.Range(0, random.Next(4))
                        .Select(_ => new OrderLine($"sku-{random.Next(Skus + 1)}", random.Next(-1, OnHand + 2), new(1, "EUR"))).ToList();
                    Apply(ReservationDecider.OnSubmitted(reservation, lines, sku => stock.GetValueOrDefault(sku)?.Available ?? 0), order);
                    break;
                case 2:
                    Apply(ReservationDecider.OnCancelled(reservation), order);
                    break;
                case 3:
                    Apply(ReservationDecider.OnConfirmed(reservation), order);
                    break;
                case 4:
                    var counted = Math.Max(stock["sku-1"].Reserved, stock["sku-1"].OnHand + random.Next(-2, 3));
                    received += counted - stock["sku-1"].OnHand;
                    Note(stock["sku-1"].Correct(counted));
                    break;
                default:
                    Note(stock["sku-0"].Receive(5));
                    received += 5;
                    break;
            }

            Assert.All(stock.Values, item => Assert.True(item is { OnHand: >= 0, Reserved: >= 0, Available: >= 0, Dispatched: >= 0 }));
            Assert.Equal(received, stock.Values.Sum(item => item.OnHand + item.Dispatched));
            Assert.All(stock.Values, item => Assert.Equal((item.OnHand - OnHand, item.Reserved, item.Dispatched), moved.GetValueOrDefault(item.Sku)));
            Assert.All(stock.Values, item => Assert.Equal(Held(item.Sku, ReservationStatus.Reserved), item.Reserved));
            Assert.All(stock.Values, item => Assert.Equal(Held(item.Sku, ReservationStatus.Dispatched), item.Dispatched));
        }

        void Note(StockChange change)
        {
            var (onHand, reserved, dispatched) = moved.GetValueOrDefault(change.Sku);
            moved[change.Sku] = (onHand + change.OnHand, reserved + change.Reserved, dispatched + change.Dispatched);
        }

        int Held(string sku, ReservationStatus status) => reservations.Values
            .Where(r => r.Status == status).SelectMany(r => r.Lines).Where(line => line.Sku == sku).Sum(line => line.Quantity);

        void Apply(ReservationDecision decision, int order)
        {
            switch (decision)
            {
                case ReservationDecision.Reserve(var lines):
                    foreach (var line in lines)
                        Note(stock[line.Sku].Reserve(line.Quantity));
                    reservations.Add(order, new(Guid.Empty, ReservationStatus.Reserved, lines, [], default));
                    break;
                case ReservationDecision.Reject(var lines, var shortages):
                    reservations.Add(order, new(Guid.Empty, ReservationStatus.Rejected, lines, shortages, default));
                    break;
                case ReservationDecision.Release(var lines):
                    foreach (var line in lines)
                        Note(stock[line.Sku].Release(line.Quantity));
                    reservations[order].End(ReservationStatus.Released, default);
                    break;
                case ReservationDecision.Dispatch(var lines):
                    foreach (var line in lines)
                        Note(stock[line.Sku].Dispatch(line.Quantity));
                    reservations[order].End(ReservationStatus.Dispatched, default);
                    break;
            }
        }
    }

    [Fact]
    public void A_stock_item_refuses_what_it_does_not_have()
    {
        var item = new StockItem("mug", 5);
        item.Reserve(3);

        Assert.Throws<InvalidOperationException>(() => item.Reserve(3));
        Assert.Throws<InvalidOperationException>(() => item.Release(4));
        Assert.Throws<InvalidOperationException>(() => item.Dispatch(4));
        Assert.Throws<InvalidOperationException>(() => item.Receive(int.MaxValue - 4));
        Assert.Throws<InvalidOperationException>(() => item.Reserve(-1));
        Assert.Throws<InvalidOperationException>(() => item.Correct(2));
        Assert.Equal((5, 3, 0), (item.OnHand, item.Reserved, item.Dispatched));
    }

    [Fact]
    public void Low_stock_is_told_once_when_it_is_crossed()
    {
        var item = new StockItem("mug", 12);
        item.Reserve(3);

        Assert.Equal([new StockLevelChanged("mug", 12, 3, 9, 0), new StockRanLow("mug", 9)], item.EventsSince(10));
        Assert.Equal([new StockLevelChanged("mug", 12, 3, 9, 0)], item.EventsSince(9));
        Assert.Equal([new StockLevelChanged("mug", 12, 3, 9, 0)], item.EventsSince(null));
    }
}
