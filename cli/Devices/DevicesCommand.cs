using System.CommandLine;

namespace Shop.Cli.Devices;

/// <summary>What a fleet of simulated devices does.</summary>
/// <param name="Sensors">How many sensors.</param>
/// <param name="Duration">For how long.</param>
/// <param name="StolenSku">The product of which pieces are taken from their shelf; null for none.</param>
/// <param name="StolenPieces">How many.</param>
/// <param name="Silent">How many sensors fall silent.</param>
/// <param name="Hot">How many rooms become too warm.</param>
/// <param name="Seed">What its chances begin with.</param>
internal sealed record FleetPlan(int Sensors, TimeSpan Duration, string? StolenSku, int StolenPieces, int Silent, int Hot, int Seed);

/// <summary><c>./shop devices [--sensors N] [--minutes M] [--steal SKU:PIECES] [--silence N] [--heat N] [--seed N]</c>: a fleet of simulated sensors.</summary>
internal static class DevicesCommand
{
    private const int MostSensors = 5_000;

    /// <summary>Describes the command.</summary>
    public static Command Create()
    {
        var sensors = new Option<int>("--sensors") { Description = "How many: a scale under each product's shelf, and thermometers", DefaultValueFactory = _ => 50 };
        var minutes = new Option<double>("--minutes") { Description = "For how long", DefaultValueFactory = _ => 1 };
        var steal = new Option<string?>("--steal") { Description = "SKU:PIECES, taken from their shelf after a third of the time" };
        var silence = new Option<int>("--silence") { Description = "How many thermometers fall silent then" };
        var heat = new Option<int>("--heat") { Description = "How many rooms become too warm then" };
        var seed = new Option<int>("--seed") { Description = "The same seed, the same chances", DefaultValueFactory = _ => Environment.TickCount };
        var command = new Command("devices", "Runs a fleet of simulated sensors against the shop, and says what became of it.") { sensors, minutes, steal, silence, heat, seed };
        command.SetAction((arguments, cancellationToken) => RunAsync(Plan(arguments.GetValue(sensors), arguments.GetValue(minutes), arguments.GetValue(steal),
            arguments.GetValue(silence), arguments.GetValue(heat), arguments.GetValue(seed)), cancellationToken));
        return command;
    }

    private static FleetPlan Plan(int sensors, double minutes, string? steal, int silence, int heat, int seed)
    {
        if (sensors is < 1 or > MostSensors)
            throw new CommandFailedException($"--sensors must be 1 to {MostSensors}.");
        if (minutes is not (> 0 and <= 24 * 60))
            throw new CommandFailedException("--minutes must be more than 0 and at most a day.");
        if (silence < 0 || heat < 0 || silence + heat > sensors)
            throw new CommandFailedException("--silence and --heat must be 0 or more, together no more than there are sensors.");
        if (steal is null)
            return new(sensors, TimeSpan.FromMinutes(minutes), null, 0, silence, heat, seed);
        return steal.Split(':') is [{ Length: > 0 } sku, var pieces] && int.TryParse(pieces, out var stolen) && stolen > 0
            ? new(sensors, TimeSpan.FromMinutes(minutes), sku, stolen, silence, heat, seed)
            : throw new CommandFailedException("--steal must be SKU:PIECES, for example mug-blue:3.");
    }

    private static async Task<int> RunAsync(FleetPlan plan, CancellationToken cancellationToken)
    {
        using var shop = new ShopClient(ShopState.Address());
        try
        {
            await new Fleet(plan, shop, Console.Out).RunAsync(cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new CommandFailedException($"The shop does not answer as it should: {e.Message}");
        }
        return 0;
    }
}
