using System.CommandLine;
using Confluent.Kafka;
using Shop.Contracts;
using Shop.Messaging.Kafka;
using Spectre.Console;

namespace Shop.Cli.Events;

/// <summary><c>./shop events [TOPIC] [--from-beginning] [--follow] [--json]</c>: events as a person reads them.</summary>
internal static class EventsCommand
{
    /// <summary>How many events are shown unless all are wanted: the newest.</summary>
    private const int Newest = 100;

    /// <summary>Describes the command.</summary>
    public static Command Create()
    {
        var topic = new Argument<string?>("TOPIC") { Description = "The topic to show; else all of the shop's", Arity = ArgumentArity.ZeroOrOne };
        topic.Validators.Add(given =>
        {
            if (given.Tokens is [{ Value: ['-', ..] unknown }])
                given.AddError($"There is no option {unknown}.");
        });
        var fromBeginning = new Option<bool>("--from-beginning") { Description = $"Show all that is there, not only the newest {Newest}" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on showing events as they happen, until Ctrl-C" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("events", "Shows the shop's events, in the order in which they happened.") { topic, fromBeginning, follow, json };
        command.SetAction((arguments, cancellationToken) => RunAsync(arguments.GetValue(topic), arguments.GetValue(fromBeginning),
            arguments.GetValue(follow), arguments.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string? topic, bool fromBeginning, bool follow, bool json, CancellationToken cancellationToken)
    {
        using var reader = Reader(follow);
        try
        {
            var wanted = Wanted(topic, reader.Partitions(cancellationToken));
            var writer = Writer(json, wanted);
            await reader.BeginAsync(wanted, fromBeginning ? null : Newest);
            var newest = new Queue<EventRecord>();
            while (!reader.IsComplete && !cancellationToken.IsCancellationRequested)
            {
                foreach (var record in reader.Read())
                {
                    if (fromBeginning)
                    {
                        writer.Write(record);
                        continue;
                    }
                    newest.Enqueue(record);
                    if (newest.Count > Newest)
                        newest.Dequeue();
                }
            }
            foreach (var record in newest)
                writer.Write(record);
            writer.Flush();
            if (!follow && reader.IsEmpty)
                Console.Error.WriteLine("There are no events yet.");
            while (follow && !cancellationToken.IsCancellationRequested)
            {
                foreach (var record in reader.Read())
                    writer.Write(record);
                writer.Flush();
                await reader.LookAroundAsync(partition => IsWanted(topic, partition));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
        catch (IOException) { } // whoever read this has read enough
        catch (KafkaException e)
        {
            throw new CommandFailedException($"Kafka does not answer: {e.Error.Reason}");
        }
        return 0;
    }

    private static TopicReader Reader(bool follow)
    {
        try
        {
            return new(KafkaConnection.Parse(ShopState.KafkaConnectionString()), follow, Console.Error.WriteLine);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException)
        {
            throw new CommandFailedException($"ConnectionStrings__kafka: {e.Message}"); // the client refuses a setting
        }
    }

    private static IReadOnlyList<TopicPartition> Wanted(string? topic, IReadOnlyList<TopicPartition> partitions)
    {
        var wanted = partitions.Where(partition => IsWanted(topic, partition)).ToList();
        if (topic is not null && wanted.Count == 0)
            throw new CommandFailedException($"There is no topic {topic}. There are: {string.Join(", ", partitions.Select(partition => partition.Topic).Distinct().Order())}");
        return wanted;
    }

    private static bool IsWanted(string? topic, TopicPartition partition) =>
        topic is null ? Topics.Lasting.Any(known => known.Name == partition.Topic) : topic == partition.Topic;

    private static IEventWriter Writer(bool json, IReadOnlyList<TopicPartition> partitions)
    {
        var output = StandardOutput.Open();
        return json
            ? new EventJson(output)
            : new EventText(output, AnsiCapabilities.Create(Console.Out), Console.IsOutputRedirected ? null : Console.WindowWidth,
                partitions.Select(partition => partition.Topic.Length).DefaultIfEmpty().Max(), TimeProvider.System);
    }
}
