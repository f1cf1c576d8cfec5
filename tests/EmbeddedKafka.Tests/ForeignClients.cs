using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

/// <summary>One client library.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MissingAsync">Why it is not here; null when it is.</param>
/// <param name="CodecsAsync">The codecs it has.</param>
/// <param name="WriteAsync">Writes <see cref="WrittenTopics.Records"/> to topics, each with its codec.</param>
/// <param name="ReadAsync">Reads topics from their beginning until it has a number of records, as lines that end with key and value.</param>
internal sealed record ForeignClient(string Name, Func<Task<string?>> MissingAsync, Func<Task<string[]>> CodecsAsync,
    Func<string, IReadOnlyList<(string Name, string Codec)>, Task> WriteAsync,
    Func<string, IReadOnlyList<string>, int, Task<IEnumerable<string>>> ReadAsync);

/// <summary>The clients that the broker is tried with.</summary>
internal static class ForeignClients
{
    /// <summary>Debian's interpreter, for which its packages are installed.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>Every codec of the protocol.</summary>
    public static readonly string[] AllCodecs = ["none", "gzip", "snappy", "lz4", "zstd"];

    private static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "clients");
    private static readonly string? KafkaHome = Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home ? Path.GetFullPath(home) : null;
    private static readonly Lazy<Task<string?>> KafkaJsMissing = new(InstallKafkaJsAsync);

    public static string KafkaJs { get; } = Path.Combine(Scripts, "kafkajs.mjs");

    public static string PythonClient { get; } = Path.Combine(Scripts, "kafka_python.py");

    public static IReadOnlyList<ForeignClient> All { get; } =
    [
        new("Confluent.Kafka", () => Task.FromResult<string?>(null), () => Task.FromResult(AllCodecs), WriteConfluentAsync,
            (bootstrap, topics, count) => Task.Run(() => Clients.ReadAll(bootstrap, topics, count)
                .Select(record => $"{record.Topic} {record.Message.Key} {record.Message.Value}"))),
        new("kcat", () => MissingAsync("kcat is not installed (Debian: kcat)", "kcat", "-V"), () => Task.FromResult(AllCodecs),
            (bootstrap, topics) => Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("kcat",
                ["-P", "-b", bootstrap, "-t", topic.Name, "-K", ":", "-z", topic.Codec, "-X", "enable.idempotence=true"], Lines(':')))),
            async (bootstrap, topics, _) => (await Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("kcat",
                ["-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%t %k %s\\n"])))).SelectMany(lines => lines)),
        new("kafka-python", () => MissingAsync("kafka-python is not installed (Debian: python3-kafka)", Python, "-c", "import kafka"),
            async () => (await ClientProcess.RunAsync(Python, [PythonClient, "-", "codecs"]))[0].Split(' '),
            (bootstrap, topics) => ClientProcess.RunAsync(Python,
                [PythonClient, bootstrap, "produce", $"{WrittenTopics.Count}", .. topics.Select(topic => $"{topic.Name}={topic.Codec}")]),
            async (bootstrap, topics, count) => await ClientProcess.RunAsync(Python, [PythonClient, bootstrap, "consume", "python", $"{count}", .. topics])),
        new("KafkaJS", () => KafkaJsMissing.Value, () => Task.FromResult(AllCodecs),
            (bootstrap, topics) => ClientProcess.RunAsync("node",
                [KafkaJs, bootstrap, "produce", $"{WrittenTopics.Count}", .. topics.Select(topic => $"{topic.Name}={topic.Codec}")]),
            async (bootstrap, topics, count) => await ClientProcess.RunAsync("node", [KafkaJs, bootstrap, "consume", "kafkajs", $"{count}", .. topics])),
        new("Apache Kafka's console tools", JavaMissingAsync, () => Task.FromResult(AllCodecs),
            (bootstrap, topics) => Task.WhenAll(topics.Select(topic => ClientProcess.RunAsync("java", Java("org.apache.kafka.tools.ConsoleProducer",
                "--bootstrap-server", bootstrap, "--topic", topic.Name, "--compression-codec", topic.Codec, "--reader-property", "parse.key=true"), Lines('\t')))),
            async (bootstrap, topics, count) => (await RunJavaAsync("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", bootstrap,
                "--include", string.Join('|', topics), "--from-beginning", "--max-messages", $"{count}", "--timeout-ms", "120000",
                "--formatter-property", "print.key=true")).Select(line => $"? {line.Replace('\t', ' ')}")),
    ];

    /// <summary>Skips the test, and says why, where a client is not here.</summary>
    public static async Task RequireAsync(string name)
    {
        var missing = await All.Single(client => client.Name == name).MissingAsync();
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>The command line of one of Apache Kafka's tools.</summary>
    public static string[] Java(string tool, params string[] arguments) =>
        ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", $"{KafkaHome}/libs/*", tool, .. arguments];

    public static Task<IReadOnlyList<string>> RunJavaAsync(string tool, params string[] arguments) => ClientProcess.RunAsync("java", Java(tool, arguments));

    private static string Lines(char separator) => string.Concat(WrittenTopics.Records.Select(record => $"{record.Key}{separator}{record.Value}\n"));

    private static Task WriteConfluentAsync(string bootstrapServers, IReadOnlyList<(string Name, string Codec)> topics) => Task.Run(() =>
    {
        foreach (var (topic, codec) in topics)
        {
            using var producer = Clients.Producer(bootstrapServers, config => config.CompressionType = Enum.Parse<CompressionType>(codec, ignoreCase: true));
            foreach (var (key, value) in WrittenTopics.Records)
                producer.Produce(topic, new() { Key = key, Value = value });
            producer.Flush(TestContext.Current.CancellationToken);
        }
    });

    private static async Task<string?> JavaMissingAsync() => KafkaHome is null ? "KAFKA_HOME is not set: Apache Kafka's tools are not here"
        : await MissingAsync("Java is not installed (Debian: openjdk-17-jre-headless)", "java", "-version");

    private static async Task<string?> MissingAsync(string reason, string file, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? null : reason;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return reason;
        }
    }

    private static async Task<string?> InstallKafkaJsAsync()
    {
        if (await MissingAsync("Node.js is not installed", "node", "--version") is { } reason)
            return reason;
        using var package = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(Scripts, "package.json")));
        if (package.RootElement.GetProperty("dependencies").EnumerateObject().All(dependency => Directory.Exists(Path.Combine(Scripts, "node_modules", dependency.Name))))
            return null;
        try
        {
            await ClientProcess.RunAsync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], directory: Scripts);
            return null;
        }
        catch (Exception failure)
        {
            return $"npm cannot install KafkaJS: {failure.Message}";
        }
    }
}
