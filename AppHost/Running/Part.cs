namespace Shop.AppHost.Running;

/// <summary>An instance of a resource that is kept running, as <c>./shop status</c> shows it.</summary>
/// <param name="resource">The resource.</param>
/// <param name="id">Aspire's id of the instance.</param>
/// <param name="instance">Which of the resource's replicas, from 1.</param>
internal sealed class Part(IResource resource, string id, int instance)
{
    public IResource Resource => resource;

    public string Id => id;

    public int Instance => instance;

    /// <summary>Its name in logs: the resource's, with a number where there are several.</summary>
    public string Title { get; } = resource.GetReplicaCount() > 1 ? $"{resource.Name}-{instance}" : resource.Name;

    /// <summary>Asks it for its health.</summary>
    public ProbeAnnotation Probe { get; } = resource.Annotations.OfType<ProbeAnnotation>().Single();

    /// <summary>The last lines of its log, oldest first.</summary>
    public IReadOnlyList<string> LastLines { get; set; } = [];

    /// <summary>The id of the process that the orchestrator started; null while there is none.</summary>
    public int? StartedPid { get; set; }

    /// <summary>The process's id: the same, or that of the process which a shell keeps.</summary>
    public int? Pid { get; set; }

    /// <summary>Where it listens.</summary>
    public string? Url { get; set; }

    public PartState State { get; set; } = PartState.Waiting;

    /// <summary>How many times it was started again after it had ended.</summary>
    public int Restarts { get; set; }

    /// <summary>How many times it has ended since it was healthy for a while.</summary>
    public int Failures { get; set; }

    /// <summary>Whether it was healthy once.</summary>
    public bool WasHealthy { get; set; }

    /// <summary>Whether it is being stopped, or was, by somebody who wants it so.</summary>
    public bool StopWanted { get; set; }

    /// <summary>Ends the health checks of the process that runs.</summary>
    public CancellationTokenSource? Probing { get; set; }
}

/// <summary>The states of a part, as <c>./shop status</c> shows them.</summary>
internal enum PartState
{
    /// <summary>What it needs is not healthy yet.</summary>
    Waiting,

    /// <summary>The process runs, or is about to, and is not ready yet.</summary>
    Starting,

    /// <summary>It can do its work.</summary>
    Healthy,

    /// <summary>It runs and was healthy, and says that it cannot do its work now.</summary>
    Unhealthy,

    /// <summary>It ended and will be started again after a pause.</summary>
    Restarting,

    /// <summary>It never became healthy, and the shop with it.</summary>
    Failed,

    /// <summary>Somebody stopped it.</summary>
    Stopped,
}

/// <summary>A resource whose process is another than the one that the orchestrator started.</summary>
internal interface IHasProcess
{
    /// <summary>The process id; null when it is not known.</summary>
    int? ProcessId { get; }
}
