using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds projects.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a .NET project, which has to be built.</summary>
    /// <param name="builder">The model.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="projectPath">The project file, relative to the AppHost's directory.</param>
    public static IResourceBuilder<ProjectResource> AddProject(this IDistributedApplicationBuilder builder, string name, string projectPath) =>
        builder.AddResource(new ProjectResource(name, Path.GetFullPath(Path.Combine(builder.AppHostDirectory, projectPath))));

    /// <summary>Runs the project as so many processes, each on a port of its own.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        builder.Resource.Replicas = replicas;
        return builder;
    }
}

/// <summary>Adds PostgreSQL.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Adds a server: a private cluster, or the one that <c>ConnectionStrings__NAME</c> names.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgres(this IDistributedApplicationBuilder builder, string name) =>
        builder.AddResource(new PostgresServerResource(name));

    /// <summary>Adds a database and its role.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The resource's name, which is the connection string's.</param>
    /// <param name="databaseName">The database's name; null for the resource's.</param>
    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.Databases.Add(database);
        return builder.ApplicationBuilder.AddResource(database);
    }
}

/// <summary>Adds Kafka.</summary>
public static class KafkaBuilderExtensions
{
    /// <summary>Adds a broker: the one that <c>ConnectionStrings__NAME</c> names, Apache Kafka at <c>KAFKA_HOME</c>, or EmbeddedKafka.</summary>
    public static IResourceBuilder<KafkaServerResource> AddKafka(this IDistributedApplicationBuilder builder, string name) =>
        builder.AddResource(new KafkaServerResource(name));
}

/// <summary>Adds parameters.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter: the environment's <c>Parameters__NAME</c>, else its default value.</summary>
    /// <param name="builder">The model.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">The default value's source.</param>
    /// <param name="secret">Whether it is a secret; here all are kept as such.</param>
    /// <param name="persist">Whether the value stays over restarts; here it always does.</param>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false) =>
        builder.AddResource(new ParameterResource(name, value));
}
