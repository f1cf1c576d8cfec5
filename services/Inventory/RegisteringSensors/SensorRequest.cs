using System.Text.RegularExpressions;
using Shop.Inventory.Sensors;
using Shop.ServiceDefaults;

namespace Shop.Inventory.RegisteringSensors;

/// <summary>A sensor as an operator describes it: what its shelf holds, or its limits.</summary>
internal sealed partial record SensorRequest(
    SensorKind Kind, string? Sku = null, double? UnitGrams = null, double? TareGrams = null, double? MinCelsius = null, double? MaxCelsius = null)
{
    private const double MostGrams = 10_000_000, LeastCelsius = -100, MostCelsius = 200;

    /// <summary>What it says, without what is not its kind's.</summary>
    public SensorSetup ToSetup() => Kind == SensorKind.Weight
        ? new(Kind, Sku, UnitGrams, TareGrams, null, null)
        : new(Kind, null, null, null, MinCelsius, MaxCelsius);

    /// <summary>What is wrong with it.</summary>
    public ValidationErrors Validate(string sensor)
    {
        var errors = new ValidationErrors();
        if (!NamePattern().IsMatch(sensor))
            errors.Add("sensor", "Must be 1 to 64 of a-z, 0-9 and -.");
        else if (CardNumbers.IsIn(sensor))
            errors.Add("sensor", CardNumbers.Refusal);
        if (Kind == SensorKind.Weight)
        {
            if (Sku is null || !NamePattern().IsMatch(Sku))
                errors.Add("sku", "Must be a product's: a weight sensor is under its shelf.");
            if (UnitGrams is not > 0 or > MostGrams)
                errors.Add("unitGrams", $"Must be more than 0 and at most {MostGrams:0}: what a piece weighs.");
            if (TareGrams is not >= 0 or > MostGrams)
                errors.Add("tareGrams", $"Must be 0 to {MostGrams:0}: what the empty shelf weighs.");
            Without("minCelsius", MinCelsius);
            Without("maxCelsius", MaxCelsius);
        }
        else
        {
            if (MinCelsius is not >= LeastCelsius or > MostCelsius)
                errors.Add("minCelsius", $"Must be {LeastCelsius:0} to {MostCelsius:0}.");
            if (MaxCelsius is not <= MostCelsius || !(MaxCelsius > MinCelsius))
                errors.Add("maxCelsius", $"Must be more than minCelsius and at most {MostCelsius:0}.");
            Without("sku", Sku);
            Without("unitGrams", UnitGrams);
            Without("tareGrams", TareGrams);
        }
        return errors;

        void Without(string field, object? value)
        {
            if (value is not null)
                errors.Add(field, $"Is nothing that a sensor of the kind {Kind.ToString().ToLowerInvariant()} has.");
        }
    }

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex NamePattern();
}
