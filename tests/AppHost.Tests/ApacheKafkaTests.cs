using Shop.AppHost.Kafka;
using Shop.Testing;

namespace Shop.AppHost.Tests;

public sealed class ApacheKafkaTests
{
    [Fact]
    public async Task A_node_answers_and_is_gone_when_it_is_disposed_of()
    {
        Assert.SkipWhen(ApacheKafka.Home is null, "KAFKA_HOME is not set");

        int port;
        await using (var kafka = await ApacheKafka.StartAsync(ApacheKafka.Home!, cancellationToken: TestContext.Current.CancellationToken))
        {
            port = kafka.Port;
            Assert.True(await KafkaProbe.IsReadyAsync(port, TestContext.Current.CancellationToken));
        }

        Assert.False(await KafkaProbe.IsReadyAsync(port, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_place_without_Kafka_is_named_in_the_nodes_log()
    {
        var missing = await Assert.ThrowsAsync<InvalidOperationException>(() => ApacheKafka.StartAsync("/nowhere", cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("KAFKA_HOME is '/nowhere', where there is no directory libs", missing.Message);
    }
}
