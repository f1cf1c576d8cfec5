using Shop.LocalRunner.Kafka;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Tests;

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
        Assert.True(Ports.IsFree(port));
    }
}
