namespace Shop.LocalRunner.Running;

/// <summary>Where things are.</summary>
internal sealed record RunnerSettings
{
    /// <summary>The directory of everything that the shop keeps, <c>SHOP_DATA</c>; absolute.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The directory that has, for each project, <c>NAME/CONFIGURATION/NAME.dll</c>.</summary>
    public required string BuildDirectory { get; init; }

    /// <summary>The configuration to run: the AppHost's own, <c>release</c> or <c>debug</c>.</summary>
    public required string Configuration { get; init; }

    /// <summary>An Apache Kafka distribution, <c>KAFKA_HOME</c>; null for EmbeddedKafka.</summary>
    public string? KafkaHome { get; init; }

    /// <summary>A connection string given from outside, by its resource's name.</summary>
    public required Func<string, string?> ConnectionString { get; init; }

    /// <summary>A parameter's value given from outside, by its name.</summary>
    public required Func<string, string?> Parameter { get; init; }

    /// <summary>The settings of this process.</summary>
    /// <param name="appHostDirectory">The AppHost project's directory; the data directory is beside it when SHOP_DATA is not set.</param>
    public static RunnerSettings FromEnvironment(string appHostDirectory)
    {
        // artifacts/bin/AppHost/release/: .NET's artifacts layout (UseArtifactsOutput)
        var output = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return new()
        {
            DataDirectory = Path.GetFullPath(Variable("SHOP_DATA") ?? Path.Combine(appHostDirectory, "..", ".shop")),
            BuildDirectory = Path.GetFullPath(Path.Combine(output, "..", "..")),
            Configuration = Path.GetFileName(output),
            KafkaHome = Kafka.ApacheKafka.Home,
            ConnectionString = name => Variable($"ConnectionStrings__{name}"),
            Parameter = name => Variable($"Parameters__{name}"),
        };
    }

    /// <summary>The assembly a project was built to.</summary>
    /// <exception cref="InvalidOperationException">It is not built.</exception>
    public string Assembly(string project)
    {
        var assembly = Path.Combine(BuildDirectory, project, Configuration, $"{project}.dll");
        return File.Exists(assembly) ? assembly : throw new InvalidOperationException($"{project} is not built for {Configuration}: dotnet build --configuration {Configuration}");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
