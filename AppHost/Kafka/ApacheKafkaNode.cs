namespace Shop.AppHost.Kafka;

/// <summary>An Apache Kafka node's command, for <c>/bin/sh</c>. The process is Java's own.</summary>
internal static class ApacheKafkaNode
{
    /// <summary>The arguments of <c>/bin/sh</c>; where there is no Java, or no Kafka at <paramref name="home"/>, it ends and says so.</summary>
    /// <param name="home">The distribution's directory, with <c>libs/</c>.</param>
    /// <param name="directory">The node's directory; absolute.</param>
    /// <param name="port">The clients' port on 127.0.0.1.</param>
    /// <param name="controllerPort">The controller's.</param>
    /// <param name="settings">Further settings of the node, <c>name=value</c>.</param>
    public static string[] Run(string home, string directory, int port, int controllerPort, params string[] settings) =>
        [Path.Combine(AppContext.BaseDirectory, "apache-kafka.sh"), Path.GetFullPath(home), directory, $"{port}", $"{controllerPort}", .. settings];
}
