using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.LocalRunner.Running;

/// <summary>What <c>shop status --json</c> prints.</summary>
/// <param name="Url">The gateway's address.</param>
/// <param name="AppHost">The runner's process id.</param>
/// <param name="Parts">The parts.</param>
internal sealed record ShopState(string Url, [property: JsonPropertyName("apphost")] int AppHost, IReadOnlyList<PartStatus> Parts);

/// <summary>A part in <see cref="ShopState"/>.</summary>
/// <param name="Name">The resource's name.</param>
/// <param name="Instance">Which of its replicas, from 1.</param>
/// <param name="Pid">The process id; null while there is no process, or when the part is not ours.</param>
/// <param name="Url">Where it listens.</param>
/// <param name="State">A <see cref="PartState"/> in lower case, or <c>external</c>.</param>
/// <param name="Restarts">How many times it was started again.</param>
internal sealed record PartStatus(string Name, int Instance, int? Pid, string Url, string State, int Restarts);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ShopState))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class RunnerJson : JsonSerializerContext;

/// <summary>Keeps a file that always holds a whole and current <see cref="ShopState"/>.</summary>
internal sealed class StateFile(string file)
{
    private readonly Lock _lock = new();

    /// <summary>Replaces the file's content.</summary>
    /// <param name="current">Asked inside the lock, so that an older state never overwrites a newer one.</param>
    public void Write(Func<ShopState> current)
    {
        lock (_lock)
        {
            var temporary = file + ".new";
            File.WriteAllText(temporary, JsonSerializer.Serialize(current(), RunnerJson.Default.ShopState) + "\n");
            File.Move(temporary, file, overwrite: true);
        }
    }

    /// <summary>Removes the file.</summary>
    public void Delete() => File.Delete(file);
}
