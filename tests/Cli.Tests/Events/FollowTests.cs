using Shop.Testing;

namespace Shop.Cli.Tests.Events;

/// <summary>What comes, on both brokers.</summary>
public sealed class FollowTests(BrokerFixture brokers)
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Events_are_shown_as_they_happen_until_it_is_ended(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 1);
        await topic.PublishAsync(0, "shop.orders.order-submitted.v1", Noon, "{}");
        await using var process = CliProcess.Start(topic.Kafka, null, "events", topic.Name, "--follow");
        await process.WritesAsync("OrderSubmitted");

        await topic.PublishAsync(0, "shop.orders.order-confirmed.v1", Noon, "{}");
        await process.WritesAsync("OrderConfirmed");
        await topic.AddPartitionsAsync(2);
        await topic.PublishAsync(1, "shop.orders.order-fulfilled.v1", Noon, "{}");
        await process.WritesAsync("OrderFulfilled");

        Assert.Equal(0, await process.TerminateAsync());
        Assert.Empty(process.Errors);
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_broker_that_goes_and_comes_back_is_waited_for(Broker broker)
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(broker)).BootstrapServers, 1);
        await topic.PublishAsync(0, "shop.orders.order-submitted.v1", Noon, "{}");
        await using var proxy = TcpProxy.ForKafka(topic.Kafka);
        await using var process = CliProcess.Start(proxy.ConnectionString, null, "events", topic.Name, "--follow");
        await process.WritesAsync("OrderSubmitted");

        proxy.Cut();
        await process.SaysAsync("Kafka is away");
        await topic.PublishAsync(0, "shop.orders.order-confirmed.v1", Noon, "{}");
        proxy.Resume();
        await process.SaysAsync("Kafka is back");
        await process.WritesAsync("OrderConfirmed");

        Assert.Equal(0, await process.TerminateAsync());
        Assert.Equal(2, process.Output.Count(line => line.Contains(topic.Name)));
    }

    [Fact]
    public async Task It_ends_when_nobody_reads_it_any_more()
    {
        using var topic = await EventsTopic.CreateAsync((await brokers.GetAsync(Broker.Embedded)).BootstrapServers, 1);
        await topic.PublishAsync(0, "shop.orders.order-submitted.v1", Noon, "{}");
        await using var process = CliProcess.StartProgram("sh", topic.Kafka, null, "-c", $"{{ dotnet {CliProcess.Assembly} events {topic.Name} --follow; echo ended with $? >&2; }} | head -n 2");
        await process.WritesAsync("OrderSubmitted");

        await topic.PublishAsync(0, "shop.orders.order-confirmed.v1", Noon, "{}");

        await process.SaysAsync("ended with 0");
    }
}
