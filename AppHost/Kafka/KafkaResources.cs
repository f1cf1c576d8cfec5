namespace Shop.AppHost.Kafka;

/// <summary>EmbeddedKafka, a project of this repository.</summary>
internal sealed class EmbeddedKafkaResource(string name) : ProjectResource(name), IResourceWithConnectionString
{
    public ReferenceExpression ConnectionStringExpression => KafkaAddress.Of(this);
}

/// <summary>A node of Apache Kafka, broker and controller in one, from a distribution's <c>libs</c>.</summary>
internal sealed class ApacheKafkaResource(string name) : ExecutableResource(name, "/bin/sh", "/"), IResourceWithConnectionString
{
    public ReferenceExpression ConnectionStringExpression => KafkaAddress.Of(this);
}

file static class KafkaAddress
{
    public static ReferenceExpression Of(IResourceWithEndpoints kafka)
    {
        var endpoint = kafka.GetEndpoint("tcp");
        return ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.IPV4Host)}:{endpoint.Property(EndpointProperty.Port)}");
    }
}
