using Shop.AppHost.Running;

namespace Shop.AppHost.Postgres;

/// <summary>A PostgreSQL server from the system's package, with a private cluster in the shop's data directory.</summary>
internal sealed class PostgresClusterResource(string name, PostgresCluster cluster)
    : ExecutableResource(name, "/bin/sh", "/"), IResourceWithConnectionString, IHasProcess
{
    public EndpointReference Endpoint => new(this, "tcp");

    /// <summary>The server's: the orchestrator starts the shell that keeps it.</summary>
    public int? ProcessId => cluster.ProcessId;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
        $"Host={Endpoint.Property(EndpointProperty.IPV4Host)};Port={Endpoint.Property(EndpointProperty.Port)};Username=postgres;Password={cluster.Password};Database=postgres");
}

/// <summary>
/// A database and the role of the same name that owns it. Of the server's connection string it takes the address only: no service is
/// told the superuser's password.
/// </summary>
internal sealed class ServiceDatabaseResource(string name, string databaseName, IResource server, ReferenceExpression address, string password)
    : Resource(name), IResourceWithConnectionString, IResourceWithParent, IResourceWithWaitSupport
{
    public IResource Parent => server;

    public string DatabaseName => databaseName;

    public string Password => password;

    // a pool of Npgsql's own size (100) in two busy instances would take every connection that the server has
    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
        $"{address};Username={databaseName};Password={password};Database={databaseName};Maximum Pool Size=20");
}
