namespace Shop.AppHost.Kafka;

/// <summary>A broker of ours: its connection string is the bootstrap list.</summary>
internal interface IKafkaResource : IResourceWithConnectionString, IResourceWithEndpoints
{
    ReferenceExpression IResourceWithConnectionString.ConnectionStringExpression =>
        ReferenceExpression.Create($"{this.GetEndpoint("tcp").Property(EndpointProperty.IPV4Host)}:{this.GetEndpoint("tcp").Property(EndpointProperty.Port)}");
}

/// <summary>EmbeddedKafka, a project of this repository.</summary>
internal sealed class EmbeddedKafkaResource(string name) : ProjectResource(name), IKafkaResource;

/// <summary>A node of Apache Kafka, broker and controller in one, from a distribution's <c>libs</c>.</summary>
internal sealed class ApacheKafkaResource(string name) : ExecutableResource(name, "/bin/sh", "/"), IKafkaResource;
