using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Hosting;

namespace Shop.AppHost.Running;

/// <summary>
/// What people see of a run: the console's lines, the parts' log files, and <c>state.json</c>, which <c>./shop status</c> prints. None of
/// these ends the shop when it cannot be written.
/// </summary>
internal sealed class ShopReport(ShopSettings shop, DistributedApplicationModel model, IHostApplicationLifetime lifetime, DashboardAddress dashboard)
{
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
    private static readonly bool Coloured = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    private readonly Stopwatch _sinceStart = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private volatile Part[] _parts = [];
    private bool _takesOrders;

    /// <summary>The instances.</summary>
    public IReadOnlyList<Part> Parts => _parts;

    /// <summary>The exit code of the AppHost.</summary>
    public int ExitCode { get; private set; }

    private string Url => $"http://localhost:{shop.Port}";

    /// <summary>An instance's name in logs: the resource's, with a number where there are several.</summary>
    public string Title(Part part) => part.Resource.GetReplicaCount() > 1 ? $"{part.Name}-{part.Instance}" : part.Name;

    /// <summary>Adds an instance.</summary>
    public Part Add(IResource resource, string id)
    {
        var instance = _parts.Count(other => other.Resource == resource) + 1;
        var log = new PartLog(Path.Combine(shop.Data, "logs", resource.GetReplicaCount() > 1 ? $"{resource.Name}-{instance}.log" : $"{resource.Name}.log"));
        var part = new Part(resource, id, instance, log);
        _parts = [.. _parts, part];
        return part;
    }

    /// <summary>Tells that an instance's state is another.</summary>
    public void Changed(Part part)
    {
        WriteState();
        if (part.State != PartState.Healthy || part.WasHealthy) return;
        Say($"{Title(part)} is healthy at {part.Url} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
        lock (_lock)
        {
            if (_takesOrders || Expected().Any(name => _parts.All(other => other.Name != name)) || _parts.Any(other => other != part && !other.WasHealthy)) return;
            _takesOrders = true;
        }

        if (dashboard.Url is { } url) Say($"The dashboard is at {url}");
        Say($"The shop takes orders at {Url} ({_sinceStart.Elapsed.TotalSeconds:0.0} s)");
    }

    /// <summary>Tells that an instance never became healthy, and ends the shop.</summary>
    public void Failed(Part part, string reason) => Failed(Title(part), reason, part.Log.LastLines);

    /// <summary>The same for what is no instance.</summary>
    public void Failed(string title, string reason, IReadOnlyList<string> lastLines)
    {
        ExitCode = 1;
        if (lastLines.Count > 0) Say($"{title} {reason}; its last lines:");
        foreach (var line in lastLines) Say($"  {title} | {line}");
        Say($"The shop did not start: {title} {reason}." + (lastLines.Count > 0 ? $" The whole log: {Path.Combine(shop.Data, "logs", title + ".log")}" : ""));
        lifetime.StopApplication();
    }

    /// <summary>Writes a line of an instance's log.</summary>
    public void Line(Part part, string line)
    {
        part.Log.Write(line);
        // a detached shop has no console: what is written goes to the one who waits for it
        if (shop.Detached) return;
        var prefix = Title(part).PadRight(_parts.Max(other => Title(other).Length));
        Say(Coloured ? $"\e[{Colours[Array.IndexOf(_parts, part) % Colours.Length]}m{prefix}\e[0m | {line}" : $"{prefix} | {line}");
    }

    /// <summary>Writes a message.</summary>
    public static void Say(string message)
    {
        try
        {
            Console.WriteLine(message);
        }
        catch (IOException) { } // the terminal is gone; the shop need not go with it before SIGHUP says so
    }

    /// <summary>Removes the state file: the shop does not run.</summary>
    public void Delete() => File.Delete(StateFile);

    private string StateFile => Path.Combine(shop.Data, "state.json");

    private IEnumerable<string> Expected() => model.Resources.Where(resource => resource.HasAnnotationOfType<ProbeAnnotation>()).Select(resource => resource.Name);

    private void WriteState()
    {
        var external = model.Resources.Where(resource => resource is ConnectionStringResource)
            .Select(resource => new { name = resource.Name, instance = 1, pid = (int?)null, url = (string?)"", state = "external", restarts = 0 });
        lock (_lock)
        {
            try
            {
                File.WriteAllText(StateFile + ".new", JsonSerializer.Serialize(new
                {
                    url = Url,
                    apphost = Environment.ProcessId,
                    dashboard = dashboard.Url,
                    parts = external.Concat(_parts.Select(part => new
                    {
                        name = part.Name,
                        instance = part.Instance,
                        pid = part.Pid,
                        url = part.Url,
                        state = part.State.ToString().ToLowerInvariant(),
                        restarts = part.Restarts,
                    })),
                }) + "\n");
                File.Move(StateFile + ".new", StateFile, overwrite: true); // whoever reads it has a whole one
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // a full disk: the status stays behind until the next change that can be written
            }
        }
    }
}

/// <summary>Where Aspire's dashboard is.</summary>
/// <param name="Url">Its address; null when it is left out.</param>
internal sealed record DashboardAddress(string? Url);
