using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Shop.KafkaBroker;

const string Usage = """
    EmbeddedKafka: a single-node Kafka-protocol broker, for development and tests.

      --data DIR           where the log is kept (default: a temporary directory, removed at the end)
      --port N             the port to listen on (default: 9092; 0 for any free one)
      --listen ADDRESS     the address to listen on (default: 127.0.0.1 and ::1)
      --advertise HOST     the host name that clients are told (default: 127.0.0.1)
      --partitions N       partitions of a topic whose creator does not say how many (default: 1)
      --no-auto-create     topics are not made when a client asks about one that is not there
      --fsync always       force every batch to the disk before it is acknowledged (default: once a second)
      --topic NAME=VALUE   a default for topics, such as retention.ms=3600000; may be repeated
    """;

var options = new EmbeddedKafkaOptions { Port = 9092 };
try
{
    options = Parse(options, args);
}
catch (FormatException mistake)
{
    Console.Error.WriteLine($"{mistake.Message}\n\n{Usage}");
    return 2;
}
if (args.Contains("--help"))
{
    Console.WriteLine(Usage);
    return 0;
}

using var logs = LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true));
Console.WriteLine("EmbeddedKafka is for development and tests; in production, use a Kafka cluster.");
var stop = new TaskCompletionSource();
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    await using var kafka = await EmbeddedKafka.StartAsync(options with { Logger = logs.CreateLogger("EmbeddedKafka") });
    Console.WriteLine($"EmbeddedKafka is ready: {kafka.BootstrapServers}");
    await stop.Task;
    return 0;
}
catch (Exception failure) when (failure is IOException or InvalidDataException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"EmbeddedKafka cannot run: {failure.Message}");
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true; // the shutdown below closes the log, then ends the process
    stop.TrySetResult();
}

static EmbeddedKafkaOptions Parse(EmbeddedKafkaOptions options, string[] args)
{
    for (var i = 0; i < args.Length; i++)
    {
        options = args[i] switch
        {
            "--help" => options,
            "--data" => options with { DataDirectory = Value() },
            "--port" => options with { Port = Number(0, 65535) },
            "--listen" => options with { ListenAddress = IPAddress.TryParse(Value(), out var address) ? address : throw Wrong("an IP address") },
            "--advertise" => options with { AdvertisedHost = Value() },
            "--partitions" => options with { DefaultPartitions = Number(1, 10_000) },
            "--no-auto-create" => options with { AutoCreateTopics = false },
            "--fsync" => Value() == "always" ? options with { FlushEveryAppend = true } : throw Wrong("always"),
            "--topic" => options with { TopicDefaults = options.TopicDefaults.Append(Setting()).ToDictionary() },
            _ => throw new FormatException($"Unknown option {args[i]}."),
        };

        string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");

        int Number(int least, int most) => int.TryParse(Value(), out var number) && number >= least && number <= most ? number
            : throw Wrong($"a number from {least} to {most}");

        FormatException Wrong(string wanted) => new($"{args[i - 1]} needs {wanted}, not {args[i]}.");

        KeyValuePair<string, string> Setting() => Value().Split('=', 2) is [var name, var value] && TopicConfig.Refuse(name, value) is null
            ? new(name, value)
            : throw Wrong("a topic setting, NAME=VALUE");
    }
    return options;
}
