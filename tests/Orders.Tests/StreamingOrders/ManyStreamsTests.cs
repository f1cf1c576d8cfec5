using System.Net;
using Shop.Contracts;
using Shop.Testing;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.StreamingOrders;

/// <summary>By itself, because it measures the process's memory.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class MeasuringMemory;

[Collection<MeasuringMemory>]
public sealed class ManyStreamsTests(TwoInstances shop) : IClassFixture<TwoInstances>
{
    [Long]
    [Fact]
    public async Task Two_thousand_streams_get_their_changes_and_take_little_memory()
    {
        const int Orders = 100, StreamsPerOrder = 20, BytesPerStream = 100 * 1024;
        await using var service = await shop.StartAnotherAsync(("Streams:PerShopper", "100"));
        var orders = (await Task.WhenAll(Enumerable.Range(0, Orders).Select(_ => NewShopper()).Select(async shopper => (Shopper: shopper, (await service.Http.SubmitAsync(shopper)).Id)))).ToList();
        await Task.WhenAll(orders.Select(order => shop.RecordedAsync(order.Id, "order-submitted")));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var streams = new List<OpenStream>();
        for (var round = 0; round < StreamsPerOrder; round++)
            streams.AddRange(await Task.WhenAll(orders.Select(order => OpenStream.OpenAsync(service.Http, order.Shopper, order.Id))));
        Assert.All(streams, stream => Assert.Equal(HttpStatusCode.OK, stream.Status));
        Assert.All(await Task.WhenAll(streams.Select(stream => stream.NextAsync())), first => Assert.Equal(("1", "order-submitted", "submitted"), StreamOrderTests.Seen(first)));
        // both ends of the connections, and the tests' own readers, are in this process
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / streams.Count;
        TestContext.Current.TestOutputHelper!.WriteLine($"{streams.Count} open streams take {each} bytes each, both ends together");

        await Task.WhenAll(orders.Select(order => service.ProduceAsync(new StockRejected(order.Id, [new("mug-blue", 2, 1)]))));
        foreach (var rest in await Task.WhenAll(streams.Select(stream => stream.RestAsync())))
            Assert.Equal([("2", "stock-rejected", "submitted"), ("3", "order-cancelled", "cancelled")], rest.Select(StreamOrderTests.Seen));
        Assert.InRange(each, 0, BytesPerStream);
        await Task.WhenAll(streams.Select(stream => stream.DisposeAsync().AsTask()));
    }
}
