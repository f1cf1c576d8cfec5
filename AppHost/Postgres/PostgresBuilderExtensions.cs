using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.AppHost.Running;

namespace Shop.AppHost.Postgres;

internal static class PostgresBuilderExtensions
{
    /// <summary>
    /// Adds PostgreSQL: the server that <c>ConnectionStrings__NAME</c> names, the system's with a private cluster, or a container.
    /// </summary>
    /// <param name="builder">The model.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="shop">Where its data are kept.</param>
    /// <param name="programs">The directory of PostgreSQL's programs; null for none.</param>
    /// <param name="containers">Whether there is a container engine.</param>
    /// <exception cref="DistributedApplicationException">There is none of them; the message names the package.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddPostgresServer(this IDistributedApplicationBuilder builder, string name, ShopSettings shop, string? programs, bool containers)
    {
        if (builder.Configuration.GetConnectionString(name) is { Length: > 0 }) return builder.AddConnectionString(name);
        if (programs is not null) return builder.AddPostgresCluster(name, new(programs, Path.Combine(shop.Data, "postgres")), shop);
        if (!containers) throw new DistributedApplicationException(PostgresPrograms.Missing);

        var data = Directory.CreateDirectory(Path.Combine(shop.Data, "postgres-container")).FullName;
        return builder.AddPostgres(name, password: builder.AddParameter($"{name}-password", new KeptValues(shop.Data).Secret($"{name}-container"), secret: true))
            .WithHostPort(new KeptValues(shop.Data).Port(name))
            .WithArgs("-c", "wal_level=logical", "-c", "max_connections=200", "-c", "max_wal_size=1GB", "-c", "jit=off", "-c", "timezone=UTC")
            .WithDataBindMount(data);
    }

    private static IResourceBuilder<PostgresClusterResource> AddPostgresCluster(this IDistributedApplicationBuilder builder, string name, PostgresCluster cluster, ShopSettings shop)
    {
        var port = new KeptValues(shop.Data).Port(name);
        // while the orchestrator starts: making a cluster takes a second or two
        var initialized = new Lazy<Task>(() => Task.Run(() => cluster.InitializeAsync(durable: true, CancellationToken.None)));
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            _ = initialized.Value;
            return Task.CompletedTask;
        });
        var postgres = new PostgresClusterResource(name, cluster);
        return builder.AddResource(postgres)
            .WithInitialState(new() { ResourceType = "PostgreSQL", Properties = [] })
            .WithIconName("Database")
            .WithEndpoint("tcp", endpoint => (endpoint.UriScheme, endpoint.Port, endpoint.TargetPort, endpoint.TargetHost, endpoint.IsProxied) = ("postgresql", port, port, "127.0.0.1", false))
            .WithArgs([.. cluster.Run, $"{port}"])
            .OnBeforeResourceStarted((_, _, _) => initialized.Value)
            .IsSupervised(async (_, cancellationToken) =>
            {
                var server = await postgres.ConnectionStringExpression.GetValueAsync(cancellationToken);
                await using var connection = await PostgresDatabases.OpenAsync(server!, cancellationToken);
                return true;
            });
    }

    /// <summary>Adds a database and its role, which are made when the server is ready and before anybody who waits for them starts.</summary>
    /// <param name="server">The server.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="databaseName">The database's and the role's.</param>
    /// <param name="shop">Where its data are kept.</param>
    /// <param name="replication">Whether the role may read the write-ahead log, from which changes are captured.</param>
    public static IResourceBuilder<ServiceDatabaseResource> AddServiceDatabase(this IResourceBuilder<IResourceWithConnectionString> server, string name, string databaseName, ShopSettings shop, bool replication = false)
    {
        var builder = server.ApplicationBuilder;
        var database = new ServiceDatabaseResource(name, databaseName, server.Resource, Address(server), new KeptValues(shop.Data).Secret($"postgres/{databaseName}"));
        server.OnResourceReady(async (_, ready, cancellationToken) =>
        {
            var notifications = ready.Services.GetRequiredService<ResourceNotificationService>();
            try
            {
                var connectionString = await server.Resource.GetConnectionStringAsync(cancellationToken);
                await PostgresDatabases.CreateAsync(connectionString!, databaseName, database.Password, replication, cancellationToken);
                await notifications.PublishUpdateAsync(database, snapshot => snapshot with { State = KnownResourceStates.Running });
            }
            catch (Exception failure) when (failure is NpgsqlException or ArgumentException)
            {
                ready.Services.GetRequiredService<ShopReport>().Failed(name, $"could not be made: {failure.Message}", []);
            }
        });
        return builder.AddResource(database)
            .WithInitialState(new() { ResourceType = "Database", Properties = [] })
            .WithIconName("DatabaseMultiple")
            .WithParentRelationship(server.Resource);
    }

    private static ReferenceExpression Address(IResourceBuilder<IResourceWithConnectionString> server)
    {
        if (server.Resource is PostgresClusterResource cluster)
            return ReferenceExpression.Create($"Host={cluster.Endpoint.Property(EndpointProperty.IPV4Host)};Port={cluster.Endpoint.Property(EndpointProperty.Port)}");
        if (server.Resource is PostgresServerResource container)
            return ReferenceExpression.Create($"Host={container.PrimaryEndpoint.Property(EndpointProperty.IPV4Host)};Port={container.PrimaryEndpoint.Property(EndpointProperty.Port)}");
        var given = new NpgsqlConnectionStringBuilder(server.ApplicationBuilder.Configuration.GetConnectionString(server.Resource.Name));
        foreach (var own in (string[])["Username", "Password", "Database"]) given.Remove(own);
        return ReferenceExpression.Create($"{given.ConnectionString}");
    }
}
