using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Shop.Contracts;
using Shop.Messaging.Kafka;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Kafka;

public sealed class KafkaLogTests(PostgresFixture postgres, BrokerFixture brokers)
{
    private static readonly LogMessage Refused = new("orders", SyslogLevel.Error, "FAIL", "Connect to ipv4#127.0.0.1:9092 failed: Connection refused");
    private static readonly Error Down = new(ErrorCode.Local_AllBrokersDown, "1/1 brokers are down");

    [Fact]
    public void An_outage_is_one_warning_and_the_next_outage_another()
    {
        var time = new ShiftedTime();
        var logger = new Collected();
        var log = new KafkaLog(time, logger);

        for (var second = 0; second < 100; second++)
        {
            log.Write(Refused);
            log.Write(Down);
            time.Ahead += TimeSpan.FromSeconds(1);
        }
        Assert.Equal([LogLevel.Warning], logger.Levels.Where(level => level > LogLevel.Debug));
        Assert.Equal(200, logger.Levels.Count);

        time.Ahead += KafkaLog.Quiet;
        log.Write(Down);
        Assert.Equal([LogLevel.Warning, LogLevel.Warning], logger.Levels.Where(level => level > LogLevel.Debug));
        log.Answered();
        log.Write(Down);
        Assert.Equal([LogLevel.Warning, LogLevel.Warning], logger.Levels.Where(level => level > LogLevel.Debug));
        time.Ahead += KafkaLog.Settling;
        log.Answered();
        log.Answered();
        log.Write(Down);
        Assert.Equal([LogLevel.Warning, LogLevel.Warning, LogLevel.Information, LogLevel.Warning], logger.Levels.Where(level => level > LogLevel.Debug));
    }

    [Fact]
    public void What_is_something_else_is_a_warning_of_its_own_and_what_is_fatal_an_error()
    {
        var logger = new Collected();
        var log = new KafkaLog(TimeProvider.System, logger);

        log.Write(Down);
        log.Write(new Error(ErrorCode.TopicAuthorizationFailed, "may not be read"));
        log.Write(new LogMessage("orders", SyslogLevel.Warning, "MAXPOLL", "left the group"));
        log.Write(new LogMessage("orders", SyslogLevel.Debug, "CONSUME", "of no interest"));
        log.Write(new LogMessage("orders", SyslogLevel.Warning, "CONFWARN", "a setting is experimental"));
        log.Write(new Error(ErrorCode.Local_Fatal, "fenced", isFatal: true));

        Assert.Equal([LogLevel.Warning, LogLevel.Warning, LogLevel.Warning, LogLevel.Error], logger.Levels);
    }

    /// <summary>Several clients see it: consumers, the relay's producer, whoever asks the broker something.</summary>
    [Fact]
    public async Task While_the_broker_is_away_a_service_warns_once_and_is_degraded_and_afterwards_it_is_well()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        await using var instance = await service.StartAsync(kafka: proxy.ConnectionString);
        var health = instance.Services.GetRequiredService<HealthCheckService>();
        await BecomesAsync(HealthStatus.Healthy);

        proxy.Cut();
        await instance.PublishAsync(new Noted(Guid.CreateVersion7(), 1));
        await instance.HasLoggedAsync("KafkaClientWarning");
        await BecomesAsync(HealthStatus.Degraded);
        proxy.Resume();

        await service.HaveEntriesAsync(1);
        await BecomesAsync(HealthStatus.Healthy);
        await instance.HasLoggedAsync("KafkaAnswers");
        Assert.Single(instance.LoggedEvents, name => name == "KafkaClientWarning");

        Task BecomesAsync(HealthStatus status) => Eventually.BecomesAsync(status, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
    }

    /// <summary>Of a topic's single partition, which one of the two has.</summary>
    [Long]
    [Fact]
    public async Task An_instance_without_a_partition_is_well_after_an_outage_too()
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);
        await using var proxy = TcpProxy.ForKafka(service.Kafka);
        var single = new Topic($"{service.Name}-single", 1).With(e => e.JournalId.ToString(), JournalJson.Default.Noted);
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await BecomeAsync(HealthStatus.Healthy);

        proxy.Cut();
        await BecomeAsync(HealthStatus.Degraded);
        proxy.Resume();

        await BecomeAsync(HealthStatus.Healthy);

        Task<ServiceHarness<TestDb>> StartAsync() => ServiceHarness<TestDb>.StartAsync(service.Name, service.Database, proxy.ConnectionString,
            messaging => messaging.Produces(single, service.Records).Endpoint("single", endpoint => endpoint.Consumes(single).Consumer<JournalKeeper>()),
            services => services.AddSingleton(new Hooks()), TestContext.Current.CancellationToken);

        async Task BecomeAsync(HealthStatus status)
        {
            foreach (var instance in new[] { first, second })
            {
                var health = instance.Services.GetRequiredService<HealthCheckService>();
                await Eventually.BecomesAsync(status, async () => (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
            }
        }
    }

    private sealed class Collected : ILogger<KafkaLog>
    {
        public List<LogLevel> Levels { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Levels.Add(logLevel);
    }
}
