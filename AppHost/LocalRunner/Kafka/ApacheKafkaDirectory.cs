using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Kafka;

/// <summary>
/// The directory of an Apache Kafka node (4.x) that is broker and controller, KRaft without ZooKeeper: its configuration,
/// and its log in <c>data</c>. Of the distribution only <c>libs/</c> is used.
/// </summary>
internal sealed class ApacheKafkaDirectory
{
    private readonly string _directory;
    private readonly string _libraries;
    private readonly string _java;

    private ApacheKafkaDirectory(string directory, string libraries, string java)
    {
        _directory = directory;
        _libraries = libraries;
        _java = java;
    }

    /// <summary>The clients' port on 127.0.0.1.</summary>
    public int Port { get; private set; }

    private string Properties => Path.Combine(_directory, "server.properties");

    /// <summary>Writes the configuration and formats the log directory where that has not been done.</summary>
    /// <param name="directory">The directory's absolute path.</param>
    /// <param name="home">The distribution's directory, with <c>libs/</c>.</param>
    /// <param name="ports">The ports for its clients and for its controller.</param>
    /// <param name="owner">Who stops the formatting when the runner dies.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <exception cref="InvalidOperationException">There is no Java or no Kafka at the place given, or formatting failed.</exception>
    public static async Task<ApacheKafkaDirectory> PrepareAsync(string directory, string home, (int Clients, int Controller) ports, string owner, CancellationToken cancellationToken)
    {
        var libraries = Path.Combine(Path.GetFullPath(home), "libs");
        if (!Directory.Exists(libraries)) throw new InvalidOperationException($"KAFKA_HOME is '{home}', where there is no directory libs.");
        var kafka = new ApacheKafkaDirectory(directory, libraries, FindJava());
        Directory.CreateDirectory(directory);
        kafka.Configure(ports);
        if (!File.Exists(Path.Combine(directory, "data", "meta.properties")))
        {
            var format = kafka.Java("kafka.tools.StorageTool", "-XX:TieredStopAtLevel=1",
                ["format", "--cluster-id", ClusterId(), "--config", kafka.Properties]);
            await ChildProcess.RunAsync(format, owner, null, cancellationToken);
        }

        return kafka;
    }

    /// <summary>The node's program.</summary>
    public ProcessSpec Server() => Java("kafka.Kafka", "-Xms64m", [Properties]);

    private static string FindJava()
    {
        var home = Environment.GetEnvironmentVariable("JAVA_HOME");
        var atHome = string.IsNullOrEmpty(home) ? null : Path.Combine(home, "bin", "java");
        return File.Exists(atHome) ? atHome : Programs.Find("java") ?? throw new InvalidOperationException(
            "Apache Kafka (KAFKA_HOME) needs Java 17 or newer on PATH or at JAVA_HOME. Debian's package: openjdk-17-jre-headless.");
    }

    /// <summary>A random UUID in the form of Kafka's Uuid.toString: URL-safe base64, and no leading dash, which an option would have.</summary>
    private static string ClusterId() => Convert.ToBase64String(Guid.CreateVersion7().ToByteArray(bigEndian: true)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private ProcessSpec Java(string main, string option, string[] arguments) => new(_java,
    [
        "-Xmx384m", option, "-XX:+UseSerialGC", "-Djava.awt.headless=true",
        $"-Dlog4j2.configurationFile={Path.Combine(_directory, "log4j2.xml")}",
        "-cp", Path.Combine(_libraries, "*"), main, .. arguments,
    ]);

    /// <summary>Writes the configuration, for the node's next start.</summary>
    public void Configure((int Clients, int Controller) ports)
    {
        Port = ports.Clients;
        // a Java properties file: backslash is its escape character
        var data = Path.Combine(_directory, "data").Replace("\\", "\\\\");
        File.WriteAllText(Properties, $"""
            # written by Shop's LocalRunner at every start
            process.roles=broker,controller
            node.id=1
            listeners=PLAINTEXT://127.0.0.1:{ports.Clients},CONTROLLER://127.0.0.1:{ports.Controller}
            advertised.listeners=PLAINTEXT://127.0.0.1:{ports.Clients}
            controller.quorum.voters=1@127.0.0.1:{ports.Controller}
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
