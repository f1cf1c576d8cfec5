using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Shop.AppHost.Running;

/// <summary>
/// What people see of a run: the console's lines, the parts' log files, and <c>state.json</c>, which <c>./shop status</c> prints. None of
/// these ends the shop when it cannot be written: it may be for the next line, or the next change.
/// </summary>
internal sealed partial class ShopReport(ShopSettings shop, DistributedApplicationModel model, IHostApplicationLifetime lifetime, IConfiguration configuration)
{
    private const int LinesKept = 25;
    private const long MaximumLogBytes = 10_000_000;
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private static readonly bool Coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    private readonly string _stateFile = Path.Combine(shop.Data, "state.json");
    private readonly string? _dashboard = shop.Dashboard ? configuration["ASPNETCORE_URLS"] : null;
    private readonly Stopwatch _sinceStart = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private volatile Part[] _parts = [];
    private bool _takesOrders;

    /// <summary>The instances, in the model's order: what one needs is before it.</summary>
    public IReadOnlyList<Part> Parts => _parts;

    /// <summary>The exit code of the AppHost.</summary>
    public int ExitCode { get; private set; }

    /// <summary>Adds an instance.</summary>
    public Part Add(IResource resource, string id)
    {
        var part = new Part(resource, id, _parts.Count(other => other.Resource == resource) + 1);
        var order = model.Resources.ToList();
        _parts = [.. _parts.Append(part).OrderBy(other => order.IndexOf(other.Resource))];
        return part;
    }

    /// <summary>Tells that an instance's state, or its process, is another.</summary>
    public void Changed(Part part)
    {
        lock (_lock)
        {
            Try(WriteState);
            if (part.State != PartState.Healthy || part.WasHealthy) return;
            part.WasHealthy = true;
            Say($"{part.Title} is healthy at {part.Url} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
            if (_takesOrders || !_parts.All(other => other.WasHealthy) || model.Resources.Any(IsAwaited)) return;
            _takesOrders = true;
            if (_dashboard is not null) Say($"The dashboard is at {_dashboard}");
            Say($"The shop takes orders at http://localhost:{shop.Port} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
        }
    }

    /// <summary>Tells that a part never became healthy, and ends the shop.</summary>
    public void Failed(string title, string reason, IReadOnlyList<string> lastLines)
    {
        ExitCode = 1;
        if (lastLines.Count > 0) Say($"{title} {reason}; its last lines:");
        foreach (var line in lastLines) Say($"  {title} | {line}");
        Say($"The shop did not start: {title} {reason}." + (lastLines.Count > 0 ? $" The whole log: {LogFile(title)}" : ""));
        lifetime.StopApplication();
    }

    /// <summary>Writes a line of an instance's log: to its file, which beyond 10 MB starts anew and is kept as <c>NAME.log.1</c>, and to the console.</summary>
    public void Line(Part part, string line)
    {
        lock (part)
        {
            part.LastLines = [.. part.LastLines.TakeLast(LinesKept - 1), line];
            Try(() =>
            {
                var file = LogFile(part.Title);
                File.AppendAllText(file, line + "\n");
                if (new FileInfo(file).Length > MaximumLogBytes) File.Move(file, file + ".1", overwrite: true);
            });
        }

        // a detached shop has no console: what is written goes to the one who waits for it
        if (shop.Detached || Orchestration().IsMatch(line)) return;
        var prefix = part.Title.PadRight(_parts.Max(other => other.Title.Length));
        Say(Coloured ? $"\e[{Colours[Array.IndexOf(_parts, part) % Colours.Length]}m{prefix}\e[0m | {line}" : $"{prefix} | {line}");
    }

    /// <summary>Writes a message; the terminal may be gone, and the shop need not go with it before SIGHUP says so.</summary>
    public static void Say(string message) => Try(() => Console.WriteLine(message));

    /// <summary>Removes the state file: the shop does not run.</summary>
    public void Delete() => File.Delete(_stateFile);

    /// <summary>What the orchestrator says of itself in a part's log; that a part has become healthy tells the same.</summary>
    [GeneratedRegex(@"^\S+ (\[sys\] Starting process|Waiting for resource |Finished waiting for resource |No custom certificate authorities )")]
    private static partial Regex Orchestration();

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }

    private string LogFile(string title) => Path.Combine(shop.Data, "logs", title + ".log");

    /// <summary>Whether it is there already: Aspire has what <c>AddConnectionString</c> makes as a parameter.</summary>
    private static bool IsExternal(IResource resource) => resource is ConnectionStringResource or ParameterResource and IResourceWithConnectionString;

    private bool IsAwaited(IResource resource) => resource.HasAnnotationOfType<ProbeAnnotation>() && _parts.Count(part => part.Resource == resource) < resource.GetReplicaCount();

    private void WriteState()
    {
        var external = model.Resources.Where(IsExternal).Select(resource => Entry(resource.Name, 1, null, "", "external", 0));
        var parts = _parts.Select(part => Entry(part.Resource.Name, part.Instance, part.Pid, part.Url, part.State.ToString().ToLowerInvariant(), part.Restarts));
        var state = new { url = $"http://localhost:{shop.Port}", apphost = Environment.ProcessId, dashboard = _dashboard, parts = external.Concat(parts) };
        File.WriteAllText(_stateFile + ".new", JsonSerializer.Serialize(state) + "\n");
        File.Move(_stateFile + ".new", _stateFile, overwrite: true); // whoever reads it has a whole one

        static object Entry(string name, int instance, int? pid, string? url, string state, int restarts) => new { name, instance, pid, url, state, restarts };
    }
}
