namespace Shop.AppHost;

internal static class BuiltProjects
{
    /// <summary>
    /// Adds a project that is run as the assembly it was built to. Aspire's own AddProject runs <c>dotnet run</c>, which stays
    /// beside every process, builds again what was built with the AppHost, and takes seconds to do so.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddBuiltProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() =>
        builder.AddProject<TProject>(name, options => options.ExcludeLaunchProfile = true)
            .RunsAssembly(new TProject())
            .WithoutHttpsCertificate()
            .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
            // what the part itself tells of every order, with its trace: to the dashboard, not to the console
            .WithEnvironment($"Logging__OpenTelemetry__LogLevel__Shop.{Path.GetFileNameWithoutExtension(new TProject().ProjectPath)}", "Debug")
            .WithEnvironment(context =>
            {
                // the dashboard is stopped with everybody else: with Aspire's retries every process then tries to reach it until it is killed
                context.EnvironmentVariables.Remove("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY");
                // Aspire has everything sampled in Development; the parts' own sampler leaves out the polls, which would bury an order's trace
                context.EnvironmentVariables.Remove("OTEL_TRACES_SAMPLER");
                // what is given from outside is inherited; and where there is no dashboard, Aspire names an address at which nobody is
                if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is null && builder.Configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] is not null) return;
                foreach (var variable in context.EnvironmentVariables.Keys.Where(variable => variable.StartsWith("OTEL_EXPORTER_OTLP", StringComparison.Ordinal)).ToArray())
                    context.EnvironmentVariables.Remove(variable);
            });

    /// <summary>Runs the built assembly, except where an IDE starts the project.</summary>
    public static IResourceBuilder<T> RunsAssembly<T>(this IResourceBuilder<T> project, IProjectMetadata metadata) where T : ProjectResource
    {
        if (Environment.GetEnvironmentVariable("DEBUG_SESSION_PORT") is { Length: > 0 }) return project;
        var name = Path.GetFileNameWithoutExtension(metadata.ProjectPath);
        // .NET's artifacts layout (UseArtifactsOutput): this is artifacts/bin/AppHost/release/, that artifacts/bin/NAME/release/
        var output = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var assembly = Path.GetFullPath(Path.Combine(output, "..", "..", name, Path.GetFileName(output), name + ".dll"));
        return project
            .WithAnnotation(new ExecutableAnnotation { Command = "dotnet", WorkingDirectory = Path.GetDirectoryName(metadata.ProjectPath)! })
            .WithArgs(assembly);
    }

    /// <summary>Has it listen on the loopback address, at the port given, or its proxy.</summary>
    public static IResourceBuilder<ProjectResource> WithLoopbackEndpoint(this IResourceBuilder<ProjectResource> project, int port, bool isProxied = false) =>
        project.WithHttpEndpoint(port: port, isProxied: isProxied).WithEndpoint("http", endpoint => endpoint.TargetHost = "127.0.0.1");
}
