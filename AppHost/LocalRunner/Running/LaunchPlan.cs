using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Shop.LocalRunner.Kafka;
using Shop.LocalRunner.Postgres;
using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Running;

/// <summary>A part that somebody else runs.</summary>
/// <param name="Name">The resource's name.</param>
/// <param name="Url">Where it is.</param>
/// <param name="Prepare">What has to be done there before anybody uses it.</param>
internal sealed record ExternalPart(string Name, string Url, Func<CancellationToken, Task> Prepare);

/// <summary>What is to be run.</summary>
/// <param name="Url">The address of the part with external endpoints; empty when there is none.</param>
/// <param name="Parts">The processes.</param>
/// <param name="Externals">What others run.</param>
internal sealed record RunPlan(string Url, IReadOnlyList<Part> Parts, IReadOnlyList<ExternalPart> Externals);

/// <summary>Turns the model into processes: their ports, addresses, connection strings and environments.</summary>
internal sealed class LaunchPlan
{
    private readonly RunnerSettings _settings;
    private readonly KeptValues _ports;
    private readonly KeptValues _secrets;
    private readonly List<Part> _parts = [];
    private readonly List<ExternalPart> _externals = [];
    private readonly Dictionary<string, string> _connectionStrings = [];
    private readonly Dictionary<string, int> _chosenPorts = [];

    /// <summary>Makes the plan. Ports and secrets that an earlier run has chosen are kept.</summary>
    /// <param name="resources">The model.</param>
    /// <param name="settings">Where things are.</param>
    public LaunchPlan(IReadOnlyList<IResource> resources, RunnerSettings settings)
    {
        _settings = settings;
        _ports = new KeptValues(Path.Combine(settings.DataDirectory, "ports.json"));
        _secrets = new KeptValues(Path.Combine(settings.DataDirectory, "secrets.json"));
        foreach (var postgres in resources.OfType<PostgresServerResource>()) AddPostgres(postgres);
        foreach (var kafka in resources.OfType<KafkaServerResource>()) AddKafka(kafka);
        foreach (var project in resources.OfType<ProjectResource>()) AddProject(project);
        var entrance = resources.OfType<ProjectResource>().FirstOrDefault(project => project.IsExternal);
        Plan = new(entrance is null ? "" : Address(entrance, 1), _parts, _externals);
    }

    /// <summary>The plan.</summary>
    public RunPlan Plan { get; }

    private void AddPostgres(PostgresServerResource resource)
    {
        var roles = resource.Databases.Select(database => (database.DatabaseName, Password: _secrets.Get($"postgres/{database.DatabaseName}", PostgresServer.NewPassword))).ToArray();
        var server = _settings.ConnectionString(resource.Name) is { } given ? PostgresServer.Parse(given) : null;
        var port = server?.Port ?? Port(resource.Name);
        // a private cluster's superuser has its password from its directory, which is made when the part starts
        var roleServer = server ?? new PostgresServer("127.0.0.1", port, "postgres", "");
        foreach (var (database, (name, password)) in resource.Databases.Zip(roles))
            _connectionStrings[database.Name] = roleServer.ConnectionString(name, password);

        var url = $"postgresql://{roleServer.Host}:{port}";
        if (server is not null)
        {
            _externals.Add(new(resource.Name, url, token => server.CreateDatabasesAsync(roles, _settings.DataDirectory, token)));
            return;
        }

        PostgresDirectory? cluster = null;
        _parts.Add(new Part(resource.Name, 1, url)
        {
            Title = resource.Name,
            Command = async token =>
            {
                cluster ??= await PostgresDirectory.PrepareAsync(
                    Path.Combine(_settings.DataDirectory, "postgres"), _settings.DataDirectory, port, durable: true, token);
                return cluster.Server();
            },
            Probe = roleServer.IsReadyAsync,
            WhenFirstReady = token => (roleServer with { Password = cluster!.Password }).CreateDatabasesAsync(roles, _settings.DataDirectory, token),
        });
    }

    private void AddKafka(KafkaServerResource resource)
    {
        if (_settings.ConnectionString(resource.Name) is { } given)
        {
            _connectionStrings[resource.Name] = given;
            _externals.Add(new(resource.Name, given.Contains('=') ? "" : $"kafka://{given}", _ => Task.CompletedTask));
            return;
        }

        var port = Port(resource.Name);
        _connectionStrings[resource.Name] = $"127.0.0.1:{port}";
        // each has its own directory: what the one has written, the other cannot read
        var directory = Path.Combine(_settings.DataDirectory, _settings.KafkaHome is null ? "kafka" : "apache-kafka");
        ApacheKafkaDirectory? apache = null;
        _parts.Add(new Part(resource.Name, 1, $"kafka://127.0.0.1:{port}")
        {
            Title = resource.Name,
            Command = async token =>
            {
                if (_settings.KafkaHome is not { } home) return DotNet("EmbeddedKafka", "--data", directory, "--port", $"{port}", "--no-auto-create");
                apache ??= await ApacheKafkaDirectory.PrepareAsync(directory, home, (port, Port($"{resource.Name}-controller")), _settings.DataDirectory, token);
                return apache.Server();
            },
            Probe = token => KafkaProbe.IsReadyAsync(port, token),
        });
    }

    private void AddProject(ProjectResource project)
    {
        for (var i = 1; i <= project.Replicas; i++)
        {
            var instance = i;
            var port = Port(project, instance);
            var (path, statusCode) = project.HealthCheck ?? ("/", 200);
            _parts.Add(new Part(project.Name, instance, Address(project, instance))
            {
                Title = project.Replicas == 1 ? project.Name : $"{project.Name}-{instance}",
                WaitsFor = [.. project.WaitsFor.Select(other => other is PostgresDatabaseResource database ? database.Parent.Name : other.Name).Distinct()],
                Command = _ => Task.FromResult(Command(project, instance)),
                Probe = token => HttpProbe.IsReadyAsync(port, path, statusCode, token),
            });
        }
    }

    private ProcessSpec Command(ProjectResource project, int instance)
    {
        // whoever answers there might even pass for a healthy part
        if (project.HttpPort is { } port && !Ports.IsFree(port))
            throw new InvalidOperationException($"port {port} is in use by another program" + (project.IsExternal ? "; SHOP_PORT chooses another" : ""));
        return DotNet(Path.GetFileNameWithoutExtension(project.ProjectPath)) with
        {
            WorkingDirectory = Path.GetDirectoryName(project.ProjectPath),
            Environment = Environment(project, instance),
        };
    }

    /// <summary>The environment of an instance, by Aspire's conventions.</summary>
    internal Dictionary<string, string?> Environment(ProjectResource project, int instance)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ASPNETCORE_URLS"] = Address(project, instance),
            ["OTEL_SERVICE_NAME"] = project.Name,
            ["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={project.Name}-{instance}",
        };
        foreach (var (source, name) in project.ConnectionStrings) environment[$"ConnectionStrings__{name}"] = _connectionStrings[source.Name];
        foreach (var service in project.ServiceReferences)
            for (var i = 0; i < service.Replicas; i++) environment[$"services__{service.Name}__http__{i}"] = Address(service, i + 1);
        foreach (var (name, value) in project.Environment) environment[name] = value;
        foreach (var (name, parameter) in project.EnvironmentParameters)
            environment[name] = _settings.Parameter(parameter.Name) ?? _secrets.Get($"parameters/{parameter.Name}", parameter.Default.GetDefaultValue);
        return environment;
    }

    private ProcessSpec DotNet(string project, params string[] arguments) =>
        // the AppHost is itself run by the `dotnet` that is wanted, or as a program of its own beside one on PATH
        new(Path.GetFileNameWithoutExtension(System.Environment.ProcessPath) == "dotnet" ? System.Environment.ProcessPath! : "dotnet", [_settings.Assembly(project), .. arguments]);

    // localhost is both 127.0.0.1 and ::1, whichever a browser takes
    private string Address(ProjectResource project, int instance) =>
        project.IsExternal ? $"http://localhost:{Port(project, instance)}" : $"http://127.0.0.1:{Port(project, instance)}";

    private int Port(ProjectResource project, int instance) => project.HttpPort ?? Port($"{project.Name}-{instance}");

    private int Port(string name)
    {
        if (_chosenPorts.TryGetValue(name, out var chosen)) return chosen;
        var kept = _ports.Get(name, NewPort, port => Ports.IsFree(int.Parse(port, CultureInfo.InvariantCulture)));
        return _chosenPorts[name] = int.Parse(kept, CultureInfo.InvariantCulture);

        static string NewPort() => Ports.Free().ToString(CultureInfo.InvariantCulture);
    }
}
