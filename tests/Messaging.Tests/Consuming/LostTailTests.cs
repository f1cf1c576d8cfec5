using Microsoft.Extensions.DependencyInjection;
using Shop.AppHost.Running;
using Shop.Messaging.Streams;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;
using EmbeddedKafka = Shop.KafkaBroker.EmbeddedKafka;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>
/// A topic loses its end while a service runs on, and may have grown beyond what the service has handled before that looks again: librdkafka asks the
/// broker where leader epochs end (KIP-320), and the service compares the record before its position.
/// </summary>
public sealed class LostTailTests(PostgresFixture postgres) : IAsyncDisposable
{
    private const int Before = 20;

    private readonly string _directory = Directory.CreateTempSubdirectory("lost-tail-").FullName;
    private readonly int _port = Ports.Free(); // the same again after the loss
    private EmbeddedKafka? _broker;

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(1)] // the log stays shorter than what was handled
    [InlineData(3 * Before)] // it is longer again when the service comes to it
    public async Task What_came_after_the_loss_is_handled_however_long_the_log_is_by_then(int after)
    {
        using var service = await StartServiceAsync();
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        await instance.HasLoggedAsync("PartitionsAssigned");
        var journals = Journals.New(10);
        for (var number = 1; number <= Before; number++) // each in a batch of its own, of which some are lost and some are not
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: number));
        await service.HaveEntriesAsync(journals.Count * Before);

        await LoseEndAsync(service, proxy, log => new FileInfo(log).Length * 3 / 10);
        using var topics = new TopicClient(service.Kafka);
        await topics.PublishAsync(service.Notes, Journals.Notes(journals, after, first: Before + 1));
        proxy.Resume();

        await service.HaveEntriesAsync(journals.Count * (Before + after));
        foreach (var journal in journals)
            Assert.Equal(Enumerable.Range(1, Before + after), await service.EntriesAsync(journal));
        await instance.HasLoggedAsync("LogDiverged");
    }

    /// <summary>Then there is no record before the position by which the log could be known.</summary>
    [Fact]
    public async Task What_came_in_the_place_of_what_could_not_be_read_is_handled()
    {
        using var service = await StartServiceAsync();
        await service.PrepareAsync();
        var (journals, logs) = await PublishDamagedAsync(service);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        await Eventually.BecomesAsync(1, () => instance.CountAsync("dead_letters"));
        await service.HaveEntriesAsync(1);

        await LoseEndAsync(service, proxy, log => logs[log]);
        using var topics = new TopicClient(service.Kafka);
        for (var number = 3; number <= 5; number++) // the first of them at the lost one's offset
            await topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: number));
        proxy.Resume();

        await service.HaveEntriesAsync(4);
        Assert.Equal([1, 3, 4, 5], await service.EntriesAsync(journals[0]));
        await instance.HasLoggedAsync("LogDiverged");
    }

    /// <summary>Then a client that was told to begin behind the log's end comes to what it cannot read, and to nothing else.</summary>
    [Theory]
    [InlineData(false)] // its checksum is wrong
    [InlineData(true)] // the broker does not find it, and answers error 2
    public async Task What_came_after_the_loss_is_handled_though_what_is_left_cannot_be_read(bool refused)
    {
        using var service = await StartServiceAsync();
        await service.PrepareAsync();
        var journals = Journals.New(1);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));
        var logs = BrokerFiles.LogsOf(service.Notes, _directory);
        for (var number = 2; number <= 4; number++) // each in a batch of its own
            await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: number));
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        await service.HaveEntriesAsync(4);

        await LoseEndAsync(service, proxy, log => logs[log]);
        if (refused)
            BrokerFiles.ClearFirstHeader(logs.Single(log => log.Value > 0).Key);
        else
            Assert.Equal(1, logs.Keys.Sum(log => BrokerFiles.DamageFrom(log, 0, Damage.Bit)));
        using var topics = new TopicClient(service.Kafka);
        await topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 5));
        proxy.Resume();

        await service.HaveEntriesAsync(5);
        Assert.Equal([1, 2, 3, 4, 5], await service.EntriesAsync(journals[0]));
        Assert.Equal(0, Assert.Single(await instance.DeadLettersAsync()).Offset);
        await instance.HasLoggedAsync("LogDiverged");
    }

    /// <summary>As the warehouse reads, which has no fingerprint of what it passed over.</summary>
    [Fact]
    public async Task What_came_in_the_place_of_what_could_not_be_read_comes_to_those_who_read_whole_topics()
    {
        using var service = await StartServiceAsync();
        await service.PrepareAsync();
        var (journals, logs) = await PublishDamagedAsync(service);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        using var topics = new TopicClient(service.Kafka);
        using var reader = instance.Services.GetRequiredService<LogReaders>().Open();
        var partition = reader.PartitionsOf([service.Notes]).Single(partition => partition.End > 0).Partition;
        using var deadline = new CancellationTokenSource(Eventually.DefaultDeadline);
        var (read, isLost) = (new List<long>(), false);
        await foreach (var batch in reader.ReadAsync([(service.Notes.Name, partition, 0)], deadline.Token))
        {
            read.AddRange(batch.Select(record => record.Offset));
            if (read.Contains(3))
                break;
            if (isLost || batch.Count > 0 || !reader.IsPassed((service.Notes.Name, partition), 2))
                continue;
            await LoseEndAsync(service, proxy, log => logs[log]);
            for (var number = 3; number <= 5; number++) // the first of them at the lost one's offset
                await topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: number));
            proxy.Resume();
            isLost = true;
        }

        Assert.Equal([0L, 1, 2, 3], read);
    }

    /// <summary>Publishes a note, and another one which nobody can read.</summary>
    /// <returns>The journal, and where the logs end before what cannot be read.</returns>
    private async Task<(List<Guid> Journals, Dictionary<string, int> Logs)> PublishDamagedAsync(JournalService service)
    {
        var journals = Journals.New(1);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1));
        var logs = BrokerFiles.LogsOf(service.Notes, _directory);
        await service.Topics.PublishAsync(service.Notes, Journals.Notes(journals, 1, first: 2));
        Assert.Equal(1, logs.Sum(log => BrokerFiles.DamageFrom(log.Key, log.Value, Damage.Bit)));
        return (journals, logs);
    }

    private async Task<JournalService> StartServiceAsync()
    {
        await StartBrokerAsync();
        return new($"t{Guid.NewGuid():N}", await postgres.CreateDatabaseAsync(), $"127.0.0.1:{_port}");
    }

    private async Task StartBrokerAsync() => _broker = await EmbeddedKafka.StartAsync(new() { DataDirectory = _directory, Port = _port }, TestContext.Current.CancellationToken);

    /// <summary>The broker stops, its logs of the notes lose their end, and it is there again, but not yet for the service.</summary>
    private async Task LoseEndAsync(JournalService service, TcpProxy proxy, Func<string, long> lengthOf)
    {
        proxy.Cut();
        await _broker!.DisposeAsync();
        BrokerFiles.LoseEnd(service.Notes, _directory, lengthOf);
        await StartBrokerAsync();
    }
}
