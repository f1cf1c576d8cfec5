using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Shop.Benchmarks.Broker;

/// <summary>Apache Kafka's performance tools, run from its jars: equal clients for every broker.</summary>
internal sealed partial class JavaTools(string home)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Produces as fast as it goes, with <c>acks=all</c>, idempotent as the Java producer's default is.</summary>
    /// <returns>Records a second.</returns>
    public async Task<double> ProduceAsync(string bootstrap, string topic, int records, int recordSize, CancellationToken cancellationToken)
    {
        await CreateTopicAsync(bootstrap, topic, cancellationToken);
        var output = await RunAsync("org.apache.kafka.tools.ProducerPerformance", cancellationToken, "--bootstrap-server", bootstrap, "--topic", topic,
            "--num-records", $"{records}", "--record-size", $"{recordSize}", "--throughput", "-1", "--command-property", "acks=all");
        // "1000000 records sent, 169000.0 records/sec (32.2 MB/sec), ...": the last such line is the sum
        return Number(SentLine().Matches(output).LastOrDefault(), output);
    }

    /// <summary>Reads the topic from its beginning.</summary>
    /// <returns>Records a second, without the time to join the group.</returns>
    public async Task<double> ConsumeAsync(string bootstrap, string topic, int records, CancellationToken cancellationToken)
    {
        var output = await RunAsync("org.apache.kafka.tools.ConsumerPerformance", cancellationToken, "--bootstrap-server", bootstrap, "--topic", topic,
            "--num-records", $"{records}", "--group", $"bench-{topic}", "--timeout", "60000", "--hide-header");
        var columns = output.Trim().Split('\n')[^1].Split(", ");
        return columns.Length == 10 ? double.Parse(columns[9], CultureInfo.InvariantCulture) : throw Unexpected(output);
    }

    /// <summary>Produces one record at a time and waits for it to arrive.</summary>
    /// <returns>Milliseconds; the percentiles are whole ones, which is all the tool tells.</returns>
    public async Task<(double Average, double P50, double P99)> LatencyAsync(string bootstrap, string topic, int records, int recordSize, CancellationToken cancellationToken)
    {
        await CreateTopicAsync(bootstrap, topic, cancellationToken);
        var output = await RunAsync("org.apache.kafka.tools.EndToEndLatency", cancellationToken, "--bootstrap-server", bootstrap, "--topic", topic,
            "--num-records", $"{records}", "--producer-acks", "all", "--record-size", $"{recordSize}");
        return (Number(AverageLine().Match(output), output), Number(MedianLine().Match(output), output), Number(NinetyNinthLine().Match(output), output));
    }

    private Task CreateTopicAsync(string bootstrap, string topic, CancellationToken cancellationToken) =>
        RunAsync("org.apache.kafka.tools.TopicCommand", cancellationToken, "--bootstrap-server", bootstrap, "--create", "--topic", topic, "--partitions", "1");

    private async Task<string> RunAsync(string tool, CancellationToken cancellationToken, params string[] arguments)
    {
        var start = new ProcessStartInfo("java") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-cp", Path.Combine(home, "libs", "*"), tool, .. arguments])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{tool} failed: {output}{await error}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static double Number(Match? match, string output) =>
        match is { Success: true } ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : throw Unexpected(output);

    private static InvalidOperationException Unexpected(string output) => new($"The tool's output was not understood: {output}");

    [GeneratedRegex(@"records sent, ([\d.]+) records/sec")]
    private static partial Regex SentLine();

    [GeneratedRegex(@"Avg latency: ([\d.]+) ms")]
    private static partial Regex AverageLine();

    [GeneratedRegex(@"50th = (\d+)")]
    private static partial Regex MedianLine();

    [GeneratedRegex(@"99th = (\d+)")]
    private static partial Regex NinetyNinthLine();
}
