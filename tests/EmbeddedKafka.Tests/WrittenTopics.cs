namespace Shop.KafkaBroker.Tests;

/// <summary>A broker with a topic of every client that is here, for every codec it has, each with the same records.</summary>
public sealed class WrittenTopics : IAsyncLifetime
{
    public const int Count = 50;

    private EmbeddedKafka? _kafka;

    public static IReadOnlyList<(string Key, string Value)> Records { get; } = [.. Enumerable.Range(0, Count).Select(i => ($"key-{i}", $"value-{i}"))];

    public string BootstrapServers => _kafka!.BootstrapServers;

    public IReadOnlyList<(string Name, string Codec)> Topics { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        _kafka = await EmbeddedKafka.StartAsync();
        var written = await Task.WhenAll(ForeignClients.All.Select(async client =>
        {
            if (await client.MissingAsync() is not null)
                return [];
            var topics = (await client.CodecsAsync()).Select(codec => (Name: $"{client.Name.Split(' ')[0].ToLowerInvariant()}-{codec}", Codec: codec)).ToList();
            await client.WriteAsync(BootstrapServers, topics);
            return topics;
        }));
        Topics = [.. written.SelectMany(topics => topics)];
    }

    public ValueTask DisposeAsync() => _kafka?.DisposeAsync() ?? ValueTask.CompletedTask;
}
