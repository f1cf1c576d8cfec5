using System.Globalization;
using System.Text.Json;
using Shop.Contracts;
using Shop.Inventory.Sensors;

namespace Shop.Inventory.ReceivingReadings;

/// <summary>Makes events of readings, or says what is wrong with them.</summary>
internal static class ReadingParser
{
    private const double LeastGrams = -100_000, MostGrams = 100_000_000, LeastCelsius = -273.15, MostCelsius = 1_000;

    /// <summary>How far a device's clock may be ahead.</summary>
    private static readonly TimeSpan MostAhead = TimeSpan.FromMinutes(5);

    /// <summary>How old a reading may be: those of a device that was off the network.</summary>
    private static readonly TimeSpan MostBehind = TimeSpan.FromDays(7);

    /// <summary>The event that a reading is.</summary>
    /// <param name="sensor">Whose it is.</param>
    /// <param name="kind">What the sensor measures.</param>
    /// <param name="reading">For example <c>{"at":"2026-11-26T10:00:00Z","weightGrams":12345}</c>; other members are passed over.</param>
    /// <param name="now">The time.</param>
    /// <returns>The event, or why there is none.</returns>
    public static (SensorReported? Event, string? Reason) Read(string sensor, SensorKind kind, JsonElement reading, DateTimeOffset now)
    {
        if (reading.ValueKind != JsonValueKind.Object)
            return (null, "Must be an object.");
        if (!reading.TryGetProperty("at", out var atText))
            return (null, "at: is missing.");
        if (!TryTime(atText, out var at, out var hasOffset))
            return (null, "at: must be an RFC 3339 time.");
        if (!hasOffset)
            return (null, "at: must end with its offset: Z, or for example +02:00.");
        at = at.ToUniversalTime();
        // what the database keeps of it: a reading that comes again is known by its time
        at = at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMicrosecond));
        if (at > now + MostAhead)
            return (null, $"at: is more than {MostAhead.TotalMinutes:0} minutes ahead of now ({now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}): set the clock.");
        if (at < now - MostBehind)
            return (null, $"at: is more than {MostBehind.TotalDays:0} days ago.");
        return kind == SensorKind.Weight
            ? Number(reading, "weightGrams", LeastGrams, MostGrams) is { } grams
                ? (new(sensor, at, grams, null), null)
                : (null, $"weightGrams: must be a number from {LeastGrams:0} to {MostGrams:0}: the sensor weighs.")
            : Number(reading, "celsius", LeastCelsius, MostCelsius) is { } celsius
                ? (new(sensor, at, null, celsius), null)
                : (null, $"celsius: must be a number from {LeastCelsius} to {MostCelsius:0}: the sensor measures a temperature.");
    }

    /// <summary>Reads a time, and whether it has an offset: one without is taken for a time of wherever this runs.</summary>
    private static bool TryTime(JsonElement text, out DateTimeOffset at, out bool hasOffset)
    {
        at = default;
        hasOffset = false;
        try
        {
            if (text.ValueKind != JsonValueKind.String || !text.TryGetDateTimeOffset(out at))
                return false;
            hasOffset = text.TryGetDateTime(out var time) && time.Kind != DateTimeKind.Unspecified;
            return true;
        }
        catch (InvalidOperationException)
        {
            // half of a surrogate pair, escaped: no text at all
            return false;
        }
    }

    private static double? Number(JsonElement reading, string member, double least, double most) =>
        reading.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? number
            : null;
}
