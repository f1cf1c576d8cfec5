using Aspire.Hosting.ApplicationModel;

// The resource types of .NET Aspire's hosting packages, in their namespaces, as far as AppHost.cs needs them. Their shapes are those of
// src/Aspire.Hosting/api/Aspire.Hosting.cs, src/Aspire.Hosting.Kafka/api/Aspire.Hosting.Kafka.cs and
// src/Aspire.Hosting.PostgreSQL/api/Aspire.Hosting.PostgreSQL.cs in github.com/dotnet/aspire (9.5 to 13).
namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>Something in the model: a process, a database, a parameter.</summary>
    public interface IResource
    {
        /// <summary>Its name, unique in the model.</summary>
        string Name { get; }
    }

    /// <summary>A resource that has environment variables.</summary>
    public interface IResourceWithEnvironment : IResource;

    /// <summary>A resource that listens.</summary>
    public interface IResourceWithEndpoints : IResource;

    /// <summary>A resource that can wait for another.</summary>
    public interface IResourceWithWaitSupport : IResource;

    /// <summary>A resource that others reach by a connection string.</summary>
    public interface IResourceWithConnectionString : IResource;

    /// <summary>A resource in the model, for further calls about it.</summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    public interface IResourceBuilder<out T> where T : IResource
    {
        /// <summary>The model's builder.</summary>
        IDistributedApplicationBuilder ApplicationBuilder { get; }

        /// <summary>The resource.</summary>
        T Resource { get; }
    }

    /// <summary>The base of all resources.</summary>
    /// <param name="name">Its name in the model.</param>
    public abstract class Resource(string name) : IResource
    {
        /// <inheritdoc/>
        public string Name => name;

        internal List<IResource> WaitsFor { get; } = [];
    }

    /// <summary>A PostgreSQL server; here a private cluster, or the one named by <c>ConnectionStrings__postgres</c>.</summary>
    public class PostgresServerResource : Resource, IResourceWithConnectionString
    {
        internal PostgresServerResource(string name) : base(name) { }

        internal List<PostgresDatabaseResource> Databases { get; } = [];
    }

    /// <summary>A database, with a role of its own that owns it and may open no other.</summary>
    public class PostgresDatabaseResource : Resource, IResourceWithConnectionString
    {
        internal PostgresDatabaseResource(string name, string databaseName, PostgresServerResource parent) : base(name)
        {
            DatabaseName = databaseName;
            Parent = parent;
        }

        /// <summary>The server it is on.</summary>
        public PostgresServerResource Parent { get; }

        /// <summary>Its name on the server, and its role's.</summary>
        public string DatabaseName { get; }
    }

    /// <summary>A .NET project that runs as one process, or as several replicas.</summary>
    public class ProjectResource : Resource, IResourceWithEnvironment, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithServiceDiscovery
    {
        internal ProjectResource(string name, string projectPath) : base(name) => ProjectPath = projectPath;

        internal string ProjectPath { get; }

        internal int Replicas { get; set; } = 1;

        internal bool HasHttpEndpoint { get; set; }

        internal int? HttpPort { get; set; }

        internal bool IsExternal { get; set; }

        internal (string Path, int StatusCode)? HealthCheck { get; set; }

        internal List<(IResourceWithConnectionString Source, string ConnectionName)> ConnectionStrings { get; } = [];

        internal List<ProjectResource> ServiceReferences { get; } = [];

        internal List<(string Name, string? Value)> Environment { get; } = [];

        internal List<(string Name, ParameterResource Value)> EnvironmentParameters { get; } = [];
    }

    /// <summary>A value that is given from outside or generated.</summary>
    public class ParameterResource : Resource
    {
        internal ParameterResource(string name, ParameterDefault value) : base(name) => Default = value;

        internal ParameterDefault Default { get; }
    }

    /// <summary>Where a parameter's default value comes from.</summary>
    public abstract class ParameterDefault
    {
        /// <summary>Makes a value.</summary>
        public abstract string GetDefaultValue();
    }
}

namespace Aspire.Hosting
{
    /// <summary>A resource that others find by its name.</summary>
    public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

    /// <summary>
    /// A Kafka broker; here the one named by <c>ConnectionStrings__kafka</c>, Apache Kafka at <c>KAFKA_HOME</c>, or EmbeddedKafka.
    /// </summary>
    public class KafkaServerResource : Resource, IResourceWithConnectionString, IResourceWithEnvironment
    {
        internal KafkaServerResource(string name) : base(name) { }
    }
}
