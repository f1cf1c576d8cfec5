using System.Diagnostics;

namespace Shop.KafkaBroker.Tests;

/// <summary>The clients in other languages: where each is, or why it is not here.</summary>
internal static class ForeignClients
{
    /// <summary>Debian's interpreter, for which its packages are installed.</summary>
    public const string Python = "/usr/bin/python3";

    private static readonly Lazy<Task<string?>> KafkaJsInstalled = new(InstallKafkaJsAsync);

    public static string Directory { get; } = Path.Combine(AppContext.BaseDirectory, "clients");

    public static string PythonClient { get; } = Path.Combine(Directory, "kafka_python.py");

    public static string? KafkaHome { get; } = Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home ? Path.GetFullPath(home) : null;

    public static void RequireKcat() => Assert.SkipUnless(Runs("kcat", "-V"), "kcat is not installed (Debian: kcat)");

    public static void RequirePython() => Assert.SkipUnless(Runs(Python, "-c", "import kafka"), "kafka-python is not installed (Debian: python3-kafka)");

    public static void RequireJava()
    {
        Assert.SkipWhen(KafkaHome is null, "KAFKA_HOME is not set: Apache Kafka's tools are not here");
        Assert.SkipUnless(Runs("java", "-version"), "Java is not installed (Debian: openjdk-17-jre-headless)");
    }

    public static async Task RequireKafkaJsAsync()
    {
        var missing = await KafkaJsInstalled.Value;
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>The command line of one of Apache Kafka's tools.</summary>
    public static string[] Java(string tool, params string[] arguments) =>
        ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", $"{KafkaHome}/libs/*", tool, .. arguments];

    public static Task<IReadOnlyList<string>> RunJavaAsync(string tool, params string[] arguments) => ClientProcess.RunAsync("java", Java(tool, arguments));

    private static bool Runs(string file, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
            process!.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<string?> InstallKafkaJsAsync()
    {
        if (!Runs("node", "--version"))
            return "Node.js is not installed";
        if (System.IO.Directory.Exists(Path.Combine(Directory, "node_modules", "kafkajs")))
            return null;
        try
        {
            await ClientProcess.RunAsync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], directory: Directory);
            return null;
        }
        catch (Exception failure)
        {
            return $"npm cannot install KafkaJS: {failure.Message}";
        }
    }
}
