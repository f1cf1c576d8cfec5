using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.Cli;

/// <summary>What the AppHost tells about the running shop in <c>state.json</c>.</summary>
/// <param name="Parts">The parts.</param>
/// <param name="Url">Where it takes orders.</param>
internal sealed record ShopState(IReadOnlyList<ShopState.Part> Parts, string? Url = null)
{
    /// <summary>A part of the shop.</summary>
    /// <param name="Name">Its name, for example <c>kafka</c>.</param>
    /// <param name="Url">Where it listens; empty where the AppHost does not know.</param>
    internal sealed record Part(string Name, string? Url);

    /// <summary>The connection string <c>kafka</c>: the one given from outside, or that of the running shop.</summary>
    /// <exception cref="CommandFailedException">No shop is running, or its Kafka is somebody else's and not named here.</exception>
    public static string KafkaConnectionString()
    {
        if (Environment.GetEnvironmentVariable("ConnectionStrings__kafka") is { Length: > 0 } given)
            return given;
        var kafka = Read().Parts.FirstOrDefault(part => part.Name == "kafka");
        return Uri.TryCreate(kafka?.Url, UriKind.Absolute, out var address)
            ? address.Authority
            : throw new CommandFailedException("The shop's Kafka is not its own: set ConnectionStrings__kafka here as for ./shop up.");
    }

    /// <summary>Where the running shop takes orders.</summary>
    /// <exception cref="CommandFailedException">No shop is running.</exception>
    public static Uri Address() => Uri.TryCreate(Read().Url, UriKind.Absolute, out var address)
        ? address
        : throw new CommandFailedException("The shop that is running does not say where: start it again with ./shop up.");

    /// <exception cref="CommandFailedException">No shop is running.</exception>
    private static ShopState Read()
    {
        var directory = Environment.GetEnvironmentVariable("SHOP_DATA") is { Length: > 0 } data ? data : ".shop";
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(directory, "state.json")), ShopStateJson.Default.ShopState) is { Parts: not null } state)
                return state;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException) { }
        throw new CommandFailedException($"No shop is running with its data in {Path.GetFullPath(directory)}: start it with ./shop up, or set ConnectionStrings__kafka.");
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ShopState))]
internal sealed partial class ShopStateJson : JsonSerializerContext;
