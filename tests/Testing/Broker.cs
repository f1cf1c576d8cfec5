using Shop.KafkaBroker;
using Xunit;

namespace Shop.Testing;

/// <summary>The brokers that everything is tried on.</summary>
public enum Broker
{
    /// <summary>EmbeddedKafka, in the test's process.</summary>
    Embedded,

    /// <summary>Apache Kafka from <c>KAFKA_HOME</c>.</summary>
    Apache,
}

/// <summary>A running broker with nothing on it.</summary>
public sealed class RunningBroker : IAsyncDisposable
{
    private readonly IAsyncDisposable _broker;

    private RunningBroker(string bootstrapServers, IAsyncDisposable broker)
    {
        BootstrapServers = bootstrapServers;
        _broker = broker;
    }

    /// <summary>The connection string <c>kafka</c>.</summary>
    public string BootstrapServers { get; }

    /// <summary>Theory data: both brokers, Apache Kafka only where <c>KAFKA_HOME</c> says where it is.</summary>
    public static TheoryData<Broker> Both { get; } =
    [
        new TheoryDataRow<Broker>(Broker.Embedded),
        new TheoryDataRow<Broker>(Broker.Apache) { Skip = ApacheKafka.Home is null ? "KAFKA_HOME is not set" : null },
    ];

    /// <summary>Starts a broker of that kind.</summary>
    /// <param name="broker">The kind.</param>
    /// <param name="directory">Where its log is kept; null for a temporary one.</param>
    public static async Task<RunningBroker> StartAsync(Broker broker, string? directory = null)
    {
        if (broker == Broker.Apache)
        {
            var apache = await ApacheKafka.StartAsync(ApacheKafka.Home ?? throw new InvalidOperationException("KAFKA_HOME is not set"), directory);
            return new(apache.BootstrapServers, apache);
        }
        var embedded = await EmbeddedKafka.StartAsync(new() { DataDirectory = directory });
        return new(embedded.BootstrapServers, embedded);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _broker.DisposeAsync();
}

/// <summary>One broker of each kind for a test process, started when it is first asked for: tests use topics and groups of their own.</summary>
public sealed class BrokerFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RunningBroker>>[] _brokers =
        [.. Enum.GetValues<Broker>().Select(broker => new Lazy<Task<RunningBroker>>(() => RunningBroker.StartAsync(broker)))];

    /// <summary>The broker of that kind.</summary>
    public Task<RunningBroker> GetAsync(Broker broker) => _brokers[(int)broker].Value;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _brokers.Where(broker => broker.IsValueCreated))
            await (await broker.Value).DisposeAsync();
    }
}
