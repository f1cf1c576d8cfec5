using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What can be said about resources: signatures and meaning as in Aspire's class of the same name.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Starts the resource only when the other one is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        ((Resource)(IResource)builder.Resource).WaitsFor.Add(dependency.Resource);
        return builder;
    }

    /// <summary>Gives the resource the other's connection string, as <c>ConnectionStrings__NAME</c>.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="source">The other one.</param>
    /// <param name="connectionName">The name; null for the other's own.</param>
    /// <param name="optional">Whether the other may have none; here it always has one.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        Project(builder).ConnectionStrings.Add((source.Resource, connectionName ?? source.Resource.Name));
        return builder;
    }

    /// <summary>Gives the resource the other's addresses, as <c>services__NAME__http__0</c> and so on, one of each replica.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment
    {
        Project(builder).ServiceReferences.Add((ProjectResource)source.Resource);
        return builder;
    }

    /// <summary>Sets an environment variable.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment
    {
        Project(builder).Environment.Add((name, value));
        return builder;
    }

    /// <summary>Sets an environment variable to a parameter's value.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment
    {
        Project(builder).EnvironmentParameters.Add((name, parameter.Resource));
        return builder;
    }

    /// <summary>Makes the resource listen for HTTP.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="port">The port; null for a free one, which is then kept.</param>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null)
        where T : IResourceWithEndpoints
    {
        var project = Project(builder);
        if (project.HasHttpEndpoint) throw new DistributedApplicationException($"'{project.Name}' has an endpoint 'http' already.");
        project.HasHttpEndpoint = true;
        project.HttpPort = port;
        return builder;
    }

    /// <summary>Marks the resource as the one that people call.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        Project(builder).IsExternal = true;
        return builder;
    }

    /// <summary>The resource is healthy when a GET of the path is answered with the status code.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="path">The path; null for <c>/</c>.</param>
    /// <param name="statusCode">The status code; null for 200.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null)
        where T : IResourceWithEndpoints
    {
        Project(builder).HealthCheck = (path ?? "/", statusCode ?? 200);
        return builder;
    }

    private static ProjectResource Project<T>(IResourceBuilder<T> builder) where T : IResource =>
        builder.Resource as ProjectResource ?? throw new DistributedApplicationException($"LocalRunner can do this with projects only, not with '{builder.Resource.Name}'.");
}
