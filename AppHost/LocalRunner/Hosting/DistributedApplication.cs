using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Shop.LocalRunner.Running;

namespace Aspire.Hosting;

/// <summary>Builds a model of the parts of an application.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>The AppHost project's directory; paths of projects are relative to it.</summary>
    string AppHostDirectory { get; }

    /// <summary>Adds a resource.</summary>
    /// <exception cref="DistributedApplicationException">There is one of that name already.</exception>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    /// <summary>The application as modelled.</summary>
    DistributedApplication Build();
}

/// <summary>The model is wrong.</summary>
/// <param name="message">What is wrong with it.</param>
public class DistributedApplicationException(string message) : Exception(message);

/// <summary>An application of several processes: the same class as .NET Aspire's, run without containers by LocalRunner.</summary>
public class DistributedApplication
{
    private readonly IReadOnlyList<IResource> _resources;
    private readonly string _appHostDirectory;

    internal DistributedApplication(IReadOnlyList<IResource> resources, string appHostDirectory)
    {
        _resources = resources;
        _appHostDirectory = appHostDirectory;
    }

    /// <summary>A builder.</summary>
    /// <param name="args">Aspire's command line; LocalRunner has no arguments.</param>
    /// <exception cref="DistributedApplicationException">The AppHost's assembly does not say where its project is.</exception>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new Builder(
        // Aspire's SDK writes the same item into the AppHost's assembly
        Assembly.GetEntryAssembly()?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(item => item.Key.Equals("apphostprojectpath", StringComparison.OrdinalIgnoreCase))?.Value
        ?? throw new DistributedApplicationException("The AppHost's assembly has no metadata 'apphostprojectpath'."), []);

    /// <summary>Runs everything until a SIGINT or SIGTERM. The process's exit code is then 1 when a part did not start.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs everything until cancelled, or a SIGINT or SIGTERM.</summary>
    /// <param name="cancellationToken">Stops everything.</param>
    public async Task RunAsync(CancellationToken cancellationToken = default) =>
        Environment.ExitCode = await LocalRun.RunAsync(_resources, RunnerSettings.FromEnvironment(_appHostDirectory), cancellationToken);

    internal sealed class Builder(string appHostDirectory, List<IResource> resources) : IDistributedApplicationBuilder
    {
        public string AppHostDirectory => appHostDirectory;

        public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
        {
            if (resources.Exists(other => other.Name.Equals(resource.Name, StringComparison.OrdinalIgnoreCase)))
                throw new DistributedApplicationException($"There is a resource '{resource.Name}' already.");
            resources.Add(resource);
            return new ResourceBuilder<T>(this, resource);
        }

        public DistributedApplication Build() => new(resources, appHostDirectory);
    }

    private sealed record ResourceBuilder<T>(IDistributedApplicationBuilder ApplicationBuilder, T Resource) : IResourceBuilder<T> where T : IResource;
}
