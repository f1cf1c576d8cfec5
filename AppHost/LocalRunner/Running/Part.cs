using Shop.LocalRunner.Processes;

namespace Shop.LocalRunner.Running;

/// <summary>One process of the shop: an instance of a resource.</summary>
/// <param name="name">The resource's name in the model.</param>
/// <param name="instance">Which of its replicas, from 1.</param>
/// <param name="url">Where it listens.</param>
internal sealed class Part(string name, int instance, string url)
{
    /// <summary>The resource's name.</summary>
    public string Name => name;

    /// <summary>Which of the resource's replicas, from 1.</summary>
    public int Instance => instance;

    /// <summary>Where it listens.</summary>
    public string Url => url;

    /// <summary>Its name in logs: the resource's, with the instance where there are several.</summary>
    public required string Title { get; init; }

    /// <summary>The names of the resources whose parts are all healthy before this one starts.</summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    /// <summary>What to run; asked at every start.</summary>
    public required Func<CancellationToken, Task<ProcessSpec>> Command { get; init; }

    /// <summary>Whether the process can do its work.</summary>
    public required Func<CancellationToken, Task<bool>> Probe { get; init; }

    /// <summary>What is done when the probe succeeds for the first time, before the part counts as healthy.</summary>
    public Func<CancellationToken, Task> WhenFirstReady { get; init; } = _ => Task.CompletedTask;
}

/// <summary>The states of a part, as <c>shop status</c> shows them.</summary>
internal enum PartState
{
    /// <summary>Its dependencies are not healthy yet.</summary>
    Waiting,

    /// <summary>The process runs, or is about to, and is not ready yet.</summary>
    Starting,

    /// <summary>It can do its work.</summary>
    Healthy,

    /// <summary>It runs and was healthy, and says that it cannot do its work now.</summary>
    Unhealthy,

    /// <summary>It ended and will be started again after the backoff.</summary>
    Restarting,

    /// <summary>It never became healthy, and is not tried again.</summary>
    Failed,

    /// <summary>It was stopped with the shop.</summary>
    Stopped,
}

/// <summary>A part never became healthy.</summary>
/// <param name="part">Its title.</param>
/// <param name="reason">What happened.</param>
/// <param name="lastLines">The last lines it wrote.</param>
internal sealed class PartFailedException(string part, string reason, string[] lastLines) : Exception($"{part} {reason}")
{
    /// <summary>The part's title.</summary>
    public string Part => part;

    /// <summary>The last lines it wrote.</summary>
    public string[] LastLines => lastLines;
}
