using System.Globalization;
using Shop.Testing;

namespace Shop.Benchmarks.Broker;

/// <summary>EmbeddedKafka against Apache Kafka, with Apache Kafka's own Java tools as the clients of both.</summary>
internal static class BrokerBench
{
    private const int RecordSize = 200;
    private const int Records = 1_000_000;
    private const int LatencyRecords = 5_000;

    /// <summary>Written and read before the memory is looked at, beside the other load.</summary>
    private const long BulkBytes = 2L << 30;

    private const int BulkRecordSize = 1_000;

    public static async Task RunAsync(Report report, CancellationToken cancellationToken)
    {
        var home = ApacheKafka.Home ?? throw new InvalidOperationException("The broker benchmark compares with Apache Kafka: set KAFKA_HOME");
        var tools = new JavaTools(home);
        var data = Directory.CreateTempSubdirectory("shop-bench-");
        try
        {
            Report.Progress($"Apache Kafka at {home}: {Records:N0} records of {RecordSize} bytes");
            Measurement apache;
            await using (var broker = await ApacheKafka.StartAsync(home, cancellationToken: cancellationToken))
                apache = await MeasureAsync(tools, broker.BootstrapServers, cancellationToken);

            Report.Progress("EmbeddedKafka: the same");
            await using var embedded = await EmbeddedKafkaProcess.StartAsync(Path.Combine(data.FullName, "log"), cancellationToken);
            var idle = embedded.ResidentMebibytes;
            var ours = await MeasureAsync(tools, embedded.BootstrapServers, cancellationToken);
            Report.Progress("EmbeddedKafka: 2 GiB written and read");
            await WriteAndReadAsync(tools, embedded.BootstrapServers, cancellationToken);
            var loaded = embedded.ResidentMebibytes;

            report.Add(new("broker.produce", ours.ProducedPerSecond, "records/s", Apache(apache.ProducedPerSecond, "records/s"), 1, LowerIsBetter: false));
            report.Add(new("broker.consume", ours.ConsumedPerSecond, "records/s", Apache(apache.ConsumedPerSecond, "records/s"), 0.8, LowerIsBetter: false));
            report.Add(new("broker.latency.avg", ours.AverageMilliseconds, "ms", Apache(apache.AverageMilliseconds, "ms"), 1, LowerIsBetter: true));
            report.Add(new("broker.latency.p50", ours.P50Milliseconds, "ms", Apache(apache.P50Milliseconds, "ms"), 1, LowerIsBetter: true));
            report.Add(new("broker.latency.p99", ours.P99Milliseconds, "ms", Apache(apache.P99Milliseconds, "ms"), 1, LowerIsBetter: true));
            report.Add(new("broker.start", embedded.StartedAfter.TotalSeconds, "s", null, 0.3, LowerIsBetter: true));
            report.Add(new("broker.memory.idle", idle, "MiB", null, 60, LowerIsBetter: true));
            report.Add(new("broker.memory.after2GiB", loaded, "MiB", null, 200, LowerIsBetter: true));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static Baseline Apache(double value, string unit) => new("Apache Kafka", value, unit);

    private static async Task<Measurement> MeasureAsync(JavaTools tools, string bootstrap, CancellationToken cancellationToken)
    {
        // a first round warms the broker up, as a running one is
        await tools.ProduceAsync(bootstrap, "warmup", Records / 5, RecordSize, cancellationToken);
        var produced = await tools.ProduceAsync(bootstrap, "throughput", Records, RecordSize, cancellationToken);
        var consumed = await tools.ConsumeAsync(bootstrap, "throughput", Records, cancellationToken);
        var (average, p50, p99) = await tools.LatencyAsync(bootstrap, "latency", LatencyRecords, RecordSize, cancellationToken);
        Report.Progress(string.Create(CultureInfo.InvariantCulture,
            $"  produced {produced:N0}/s, consumed {consumed:N0}/s, end to end {average:N2} ms on average, p50 {p50} ms, p99 {p99} ms"));
        return new(produced, consumed, average, p50, p99);
    }

    private static async Task WriteAndReadAsync(JavaTools tools, string bootstrap, CancellationToken cancellationToken)
    {
        const int records = (int)(BulkBytes / BulkRecordSize);
        await tools.ProduceAsync(bootstrap, "bulk", records, BulkRecordSize, cancellationToken);
        await tools.ConsumeAsync(bootstrap, "bulk", records, cancellationToken);
    }

    private sealed record Measurement(double ProducedPerSecond, double ConsumedPerSecond, double AverageMilliseconds, double P50Milliseconds, double P99Milliseconds);
}
