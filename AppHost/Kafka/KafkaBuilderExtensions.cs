using Microsoft.Extensions.Configuration;
using Shop.AppHost.Running;

namespace Shop.AppHost.Kafka;

internal static class KafkaBuilderExtensions
{
    /// <summary>
    /// Adds Kafka: the cluster that <c>ConnectionStrings__NAME</c> names (a bootstrap list, or librdkafka's settings), Apache Kafka at
    /// <c>KAFKA_HOME</c>, or EmbeddedKafka.
    /// </summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddKafka(this IDistributedApplicationBuilder builder, string name, ShopSettings shop)
    {
        if (builder.Configuration.GetConnectionString(name) is { Length: > 0 }) return builder.AddConnectionString(name);
        var kept = new KeptValues(shop.Data);
        var port = kept.Port(name);
        // each has its own directory: what the one has written, the other cannot read
        if (shop.KafkaHome is null)
        {
            var project = new Projects.EmbeddedKafka();
            return builder.AddResource(new EmbeddedKafkaResource(name))
                .WithAnnotation(project)
                .RunsAssembly(project)
                .WithArgs("--data", Path.Combine(shop.Data, "kafka"), "--port", $"{port}", "--no-auto-create")
                .ServesKafka(port);
        }

        return builder.AddResource(new ApacheKafkaResource(name))
            .WithInitialState(new() { ResourceType = "ApacheKafka", Properties = [] })
            .WithArgs(ApacheKafkaNode.Run(shop.KafkaHome, Path.Combine(shop.Data, "apache-kafka"), port, kept.Port($"{name}-controller")))
            .ServesKafka(port);
    }

    private static IResourceBuilder<T> ServesKafka<T>(this IResourceBuilder<T> kafka, int port) where T : IResourceWithEndpoints => kafka
        .WithIconName("Stream")
        .WithEndpoint("tcp", endpoint => (endpoint.UriScheme, endpoint.Port, endpoint.TargetPort, endpoint.TargetHost, endpoint.IsProxied) = ("kafka", port, port, "127.0.0.1", false))
        .IsSupervised((_, cancellationToken) => KafkaProbe.IsReadyAsync(port, cancellationToken));
}
