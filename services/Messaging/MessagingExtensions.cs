using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.ChangeCapture;
using Shop.Messaging.Consuming;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Events;
using Shop.Messaging.Kafka;
using Shop.Messaging.Operations;
using Shop.Messaging.Outbox;
using Shop.Messaging.Relay;
using Shop.Messaging.Schema;
using Shop.Messaging.ShippingLogs;
using Shop.Messaging.Streams;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Messaging;

/// <summary>Adds the messaging core to a service.</summary>
public static class MessagingExtensions
{
    /// <summary>
    /// Adds the service's database, its outbox with the relay to Kafka, and its endpoints. The connection strings
    /// <paramref name="serviceName"/> (PostgreSQL) and <c>kafka</c> are needed. At start the database is migrated and missing topics are created.
    /// </summary>
    /// <param name="builder">The service's host.</param>
    /// <param name="serviceName">The service's name: its connection string, the prefix of its consumer groups and its events' source.</param>
    /// <param name="configure">Declares what is produced and consumed.</param>
    /// <exception cref="InvalidOperationException">A connection string is missing.</exception>
    public static IHostApplicationBuilder AddMessaging<TDbContext>(this IHostApplicationBuilder builder, string serviceName, Action<MessagingBuilder> configure)
        where TDbContext : MessagingDbContext
    {
        var options = new MessagingOptions(serviceName, InstanceName(builder.Configuration));
        configure(new(options));

        // a line for every statement would drown the service's own log, and what fails is thrown: whoever handles it logs it, once
        builder.Logging.AddFilter("Npgsql", LogLevel.Warning).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
            .AddFilter("Microsoft.EntityFrameworkCore.Database", LogLevel.Critical).AddFilter("Microsoft.EntityFrameworkCore.Query", LogLevel.Critical)
            .AddFilter("Microsoft.EntityFrameworkCore.Update", LogLevel.Critical).AddFilter("MassTransit", LogLevel.Critical);
        var services = builder.Services;
        var database = WithSessionSettings(ConnectionString(builder.Configuration, serviceName), options);
        var kafka = KafkaConnection.Parse(ConnectionString(builder.Configuration, "kafka"));
        var eventTypes = new EventTypes(options.Produced, [.. options.Endpoints.SelectMany(endpoint => endpoint.Topics).Distinct()]);

        services.AddSingleton(options);
        services.AddSingleton(kafka);
        services.AddSingleton(eventTypes);
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<StaleSessions>();
        services.AddSingleton<TopicCreation>();
        services.AddSingleton<TopicIdentities>();
        services.AddSingleton<ReadabilityProbe>();
        services.AddSingleton<KafkaLog>();
        services.AddSingleton(provider => new EventStream(kafka, provider.GetRequiredService<TopicCreation>(), eventTypes, options, provider.GetRequiredService<KafkaLog>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TopicOffsets>();
        services.AddSingleton<MessagingFlow>();
        services.AddSingleton(provider => new EndpointProgress(provider.GetRequiredService<TopicOffsets>(), provider.GetRequiredService<NpgsqlDataSource>(), options));
        services.AddSingleton(provider => new LogReaders(kafka, options, provider.GetRequiredService<KafkaLog>(), provider.GetRequiredService<ReadabilityProbe>(),
            provider.GetRequiredService<ILogger<LogReader>>()));
        services.AddSingleton<EndpointPipelines>();
        services.AddSingleton<Redriving>();
        services.AddSingleton<RefusedEvents>();
        services.AddSingleton<MessagingHealth>();
        services.AddHealthChecks().AddCheck<MessagingHealth>("messaging", tags: [HealthEndpoints.ReadyTag]);
        services.AddSingleton(provider => new NpgsqlDataSourceBuilder(database).UseLoggerFactory(provider.GetService<ILoggerFactory>()).Build());
        services.AddScoped(provider => new TransactionalOutbox(eventTypes, options.EventSource, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<OutboxSignal>(), provider));
        services.AddDbContext<TDbContext>((provider, context) => context
            .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>())
            .UseSnakeCaseNamingConvention()
            .AddInterceptors(OutboxCommitInterceptor.Instance, provider.GetRequiredService<StaleSessions>()),
            // one set of options for all scopes: making them costs as much as a small transaction
            ServiceLifetime.Scoped, ServiceLifetime.Singleton);
        services.AddScoped<MessagingDbContext>(provider => provider.GetRequiredService<TDbContext>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            foreach (var register in options.Endpoints.SelectMany(endpoint => endpoint.Registrations))
                register(bus);
            bus.UsingInMemory();
        });
        if (options.ShipsLogs)
            builder.AddShippingLogs(kafka, options);
        services.AddHostedService<DatabaseMigrator<TDbContext>>();
        services.AddWorker<OutboxRelay>("outbox relay");
        services.AddOptions<MessagingRetention>().BindConfiguration("Messaging:Retention").ValidateDataAnnotations().ValidateOnStart();
        services.AddPeriodicWorker<RedriveWorker>("redrives");
        services.AddPeriodicWorker<Housekeeping>("housekeeping");
        services.AddPeriodicWorker<MessagingGauges>("messaging gauges");
        if (options.Captures.Count > 0)
            services.AddOptions<CaptureSettings>().BindConfiguration("ChangeCapture").ValidateDataAnnotations().ValidateOnStart();
        foreach (var capture in options.Captures)
        {
            services.AddWorker($"changes of {capture.Table}", provider => ActivatorUtilities.CreateInstance<ChangeReader>(provider, capture, database));
            services.AddPeriodicWorker($"slot of {capture.Table}", provider => ActivatorUtilities.CreateInstance<SlotWatch>(provider, capture));
        }
        foreach (var endpoint in options.Endpoints)
            services.AddWorker($"endpoint {endpoint.Name}", provider => ActivatorUtilities.CreateInstance<EndpointConsumer>(provider, endpoint));
        return builder;
    }

    private static string ConnectionString(IConfiguration configuration, string name) => configuration.GetConnectionString(name)
        ?? throw new InvalidOperationException($"The connection string '{name}' is missing (ConnectionStrings__{name})");

    /// <summary>
    /// What a dead instance holds (locks, shards, a batch's rows) is free for the others when PostgreSQL sees that it is gone: after
    /// 5 + 3 x 1 s where its machine vanished without closing its connections, after ten minutes where its process hangs in a transaction.
    /// Statements that come again are parsed once a session. They are planned each time: a plan that was made while a table was
    /// empty reads all of it later, until PostgreSQL has analysed it.
    /// </summary>
    private static string WithSessionSettings(string connectionString, MessagingOptions options)
    {
        var own = string.Concat(options.SessionSettings.Select(setting => $"-c {setting.Name}={setting.Value} "));
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 100, AutoPrepareMinUsages = 2 };
        builder.Options = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c plan_cache_mode=force_custom_plan -c idle_in_transaction_session_timeout=10min " + own + builder.Options;
        return builder.ConnectionString;
    }

    /// <summary>
    /// Machine and port: an instance that is started again at its address is the same one to Kafka (static membership, KIP-345), and
    /// need not wait until its predecessor's session has expired. Null where the service listens at no address of its own.
    /// </summary>
    private static string? InstanceName(IConfiguration configuration) =>
        Uri.TryCreate(configuration["URLS"]?.Split(';')[0], UriKind.Absolute, out var url) && url.Port > 0 ? $"{Environment.MachineName}-{url.Port}" : null;
}
