using Shop.AppHost.Running;

namespace Shop.AppHost.Kafka;

/// <summary>
/// The directory of an Apache Kafka node (4.x) that is broker and controller, KRaft without ZooKeeper: its configuration,
/// and its log in <c>data</c>. Of the distribution only <c>libs/</c> is used.
/// </summary>
internal sealed class ApacheKafkaNode
{
    private readonly string _directory;
    private readonly string _libraries;

    /// <summary>Finds Java and the distribution.</summary>
    /// <param name="directory">The node's directory; absolute.</param>
    /// <param name="home">The distribution's directory, with <c>libs/</c>.</param>
    /// <exception cref="InvalidOperationException">There is no Java or no Kafka at the place given.</exception>
    public ApacheKafkaNode(string directory, string home)
    {
        _directory = directory;
        _libraries = Path.Combine(Path.GetFullPath(home), "libs");
        if (!Directory.Exists(_libraries)) throw new InvalidOperationException($"KAFKA_HOME is '{home}', where there is no directory libs.");
        var javaHome = Environment.GetEnvironmentVariable("JAVA_HOME");
        var atHome = string.IsNullOrEmpty(javaHome) ? null : Path.Combine(javaHome, "bin", "java");
        Java = File.Exists(atHome) ? atHome : Programs.Find("java") ?? throw new InvalidOperationException(
            "Apache Kafka (KAFKA_HOME) needs Java 17 or newer on PATH or at JAVA_HOME. Debian's package: openjdk-17-jre-headless.");
    }

    /// <summary>The program that runs the node.</summary>
    public string Java { get; }

    /// <summary>Its arguments.</summary>
    public string[] Run => Arguments("kafka.Kafka", "-Xms64m", [Properties]);

    private string Properties => Path.Combine(_directory, "server.properties");

    /// <summary>Writes the configuration, and formats the log directory where that has not been done; for a node that does not run.</summary>
    /// <param name="port">The clients' port on 127.0.0.1.</param>
    /// <param name="controllerPort">The controller's.</param>
    /// <param name="cancellationToken">Kills the formatting.</param>
    /// <exception cref="InvalidOperationException">Formatting failed; the message has its output.</exception>
    public async Task PrepareAsync(int port, int controllerPort, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_directory);
        Configure(port, controllerPort);
        if (File.Exists(Path.Combine(_directory, "data", "meta.properties"))) return;
        await Programs.RunAsync(Java, Arguments("kafka.tools.StorageTool", "-XX:TieredStopAtLevel=1", ["format", "--cluster-id", ClusterId(), "--config", Properties]),
            $"Apache Kafka's log directory could not be formatted in {_directory}", cancellationToken);
    }

    /// <summary>A random UUID in the form of Kafka's Uuid.toString: URL-safe base64, and no leading dash, which an option would have.</summary>
    private static string ClusterId() => Convert.ToBase64String(Guid.CreateVersion7().ToByteArray(bigEndian: true)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private string[] Arguments(string main, string option, string[] arguments) =>
    [
        "-Xmx384m", option, "-XX:+UseSerialGC", "-Djava.awt.headless=true",
        $"-Dlog4j2.configurationFile={Path.Combine(_directory, "log4j2.xml")}",
        "-cp", Path.Combine(_libraries, "*"), main, .. arguments,
    ];

    private void Configure(int port, int controllerPort)
    {
        // a Java properties file: backslash is its escape character
        var data = Path.Combine(_directory, "data").Replace("\\", "\\\\");
        File.WriteAllText(Properties, $"""
            # written at every start
            process.roles=broker,controller
            node.id=1
            listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controllerPort}
            advertised.listeners=PLAINTEXT://127.0.0.1:{port}
            controller.quorum.voters=1@127.0.0.1:{controllerPort}
            controller.listener.names=CONTROLLER
            inter.broker.listener.name=PLAINTEXT
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
            log.dirs={data}
            num.network.threads=2
            num.io.threads=4
            auto.create.topics.enable=false
            default.replication.factor=1
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=4
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            transaction.state.log.num.partitions=1
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            share.coordinator.state.topic.num.partitions=1
            group.initial.rebalance.delay.ms=0
            log.retention.hours=-1
            log.cleaner.dedupe.buffer.size=16777216

            """);
        File.WriteAllText(Path.Combine(_directory, "log4j2.xml"), """
            <Configuration status="WARN">
              <Appenders><Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%p %c{1}: %m%n%throwable{short}"/></Console></Appenders>
              <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
            </Configuration>

            """);
    }
}
