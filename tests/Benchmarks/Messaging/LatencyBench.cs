using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;

namespace Shop.Benchmarks.Messaging;

/// <summary>Milliseconds: from commit until another consumer has the record, and from publish until the subscriber has handled it.</summary>
internal sealed record Latency(double ConsumerP50, double ConsumerP99, double HandledP50, double HandledP99);

/// <summary>Events published at a steady rate, whether or not the one before has arrived.</summary>
internal static class LatencyBench
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task<Latency> RunAsync(string database, string kafka, int rate, int? batch, CancellationToken cancellationToken)
    {
        var warmUp = (int)(WarmUp.TotalSeconds * rate);
        var total = warmUp + (int)(Duration.TotalSeconds * rate);
        long[] published = new long[total], committed = new long[total], received = new long[total], handled = new long[total];
        await using var service = await AccountService.StartAsync(database, kafka, batch, withSaga: false,
            note => handled[note.Number] = Stopwatch.GetTimestamp(), cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = Task.Factory.StartNew(() => Receive(kafka, received, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            var started = Stopwatch.GetTimestamp();
            var publishing = new List<Task>();
            for (var number = 0; number < total; number++)
            {
                var due = TimeSpan.FromSeconds((double)number / rate) - Stopwatch.GetElapsedTime(started);
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, cancellationToken);
                publishing.Add(PublishAsync(service, number, published, committed, cancellationToken));
            }
            await Task.WhenAll(publishing);
            var waited = Stopwatch.StartNew();
            while (received.Contains(0) || handled.Contains(0))
            {
                if (waited.Elapsed > Deadline)
                    throw new InvalidOperationException("Not every event arrived");
                await Task.Delay(20, cancellationToken);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await receiving;
        }
        var toConsumer = Sorted(committed, received, warmUp);
        var toHandled = Sorted(published, handled, warmUp);
        return new(Percentile(toConsumer, 0.5), Percentile(toConsumer, 0.99), Percentile(toHandled, 0.5), Percentile(toHandled, 0.99));
    }

    private static async Task PublishAsync(AccountService service, int number, long[] published, long[] committed, CancellationToken cancellationToken)
    {
        await using var scope = service.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<AccountsDb>();
        published[number] = Stopwatch.GetTimestamp();
        db.Publish(new AccountNoted(Guid.CreateVersion7(), number, AccountRecords.Note));
        await db.SaveChangesAsync(cancellationToken);
        committed[number] = Stopwatch.GetTimestamp();
    }

    private static void Receive(string kafka, long[] received, CancellationToken cancellationToken)
    {
        using var consumer = new ConsumerBuilder<string, byte[]>(new ConsumerConfig
        {
            BootstrapServers = kafka,
            GroupId = "watch",
            FetchWaitMaxMs = 500,
            FetchErrorBackoffMs = 50,
        }).Build();
        consumer.Assign(Enumerable.Range(0, AccountService.Notes.Partitions).Select(partition => new TopicPartitionOffset(AccountService.Notes.Name, partition, Offset.Beginning)));
        while (!cancellationToken.IsCancellationRequested)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                received[JsonSerializer.Deserialize(record.Message.Value, AccountJson.Default.AccountNoted)!.Number] = Stopwatch.GetTimestamp();
        }
    }

    private static List<double> Sorted(long[] from, long[] to, int first)
    {
        var milliseconds = new List<double>();
        for (var i = first; i < from.Length; i++)
            milliseconds.Add(Math.Max(0, Stopwatch.GetElapsedTime(from[i], to[i]).TotalMilliseconds));
        milliseconds.Sort();
        return milliseconds;
    }

    private static double Percentile(List<double> sorted, double fraction) => Math.Round(sorted[(int)(fraction * (sorted.Count - 1))], 2);
}
