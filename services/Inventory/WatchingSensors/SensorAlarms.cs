using System.Globalization;
using Shop.Contracts;
using Shop.Inventory.Sensors;

namespace Shop.Inventory.WatchingSensors;

/// <summary>The alarms about sensors, in words.</summary>
internal static class SensorAlarms
{
    private const string Service = "inventory";

    /// <summary>What an alarm about a sensor's readings is about: the product on its shelf, or itself.</summary>
    public static string SubjectOf(string sensor, SensorSetup setup) => setup.Kind == SensorKind.Weight ? setup.Sku! : sensor;

    public static string KindOf(SensorSetup setup) => setup.Kind == SensorKind.Weight ? AlarmKinds.StockDiscrepancy : AlarmKinds.Temperature;

    public static AlarmRaised Raised(Guid alarm, string sensor, SensorSetup setup, int? onHand, double value, DateTimeOffset at) =>
        new(alarm, KindOf(setup), Service, SubjectOf(sensor, setup), Expected(setup, onHand), Seen(setup, value), at);

    public static AlarmCleared Cleared(Guid alarm, string sensor, SensorSetup setup, int? onHand, double value, DateTimeOffset at) =>
        new(alarm, KindOf(setup), Service, SubjectOf(sensor, setup), Expected(setup, onHand), Seen(setup, value), at);

    /// <summary>The alarm is over because nobody measures any more, or something else.</summary>
    public static AlarmCleared SetUpAnew(Guid alarm, string sensor, SensorSetup setup, DateTimeOffset at) =>
        new(alarm, KindOf(setup), Service, SubjectOf(sensor, setup), Expected(setup, null), "the sensor was set up anew or removed", at);

    public static AlarmRaised Silent(Guid alarm, string sensor, DateTimeOffset heardAt, TimeSpan after) =>
        new(alarm, AlarmKinds.SensorSilent, Service, sensor, string.Create(CultureInfo.InvariantCulture, $"a reading every {after.TotalSeconds:0} s"),
            string.Create(CultureInfo.InvariantCulture, $"none since {heardAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"), heardAt + after);

    public static AlarmCleared Heard(Guid alarm, string sensor, string seen, DateTimeOffset at) =>
        new(alarm, AlarmKinds.SensorSilent, Service, sensor, "readings", seen, at);

    /// <summary>Pieces that weigh so much, rounded.</summary>
    public static int PiecesOf(SensorSetup setup, double grams) =>
        (int)Math.Clamp(Math.Round((grams - setup.TareGrams!.Value) / setup.UnitGrams!.Value), int.MinValue, int.MaxValue);

    private static string Expected(SensorSetup setup, int? onHand) => setup.Kind == SensorKind.Weight
        ? onHand is null ? "what is on hand" : string.Create(CultureInfo.InvariantCulture, $"{onHand} pieces")
        : string.Create(CultureInfo.InvariantCulture, $"{setup.MinCelsius} to {setup.MaxCelsius} °C");

    private static string Seen(SensorSetup setup, double value) => setup.Kind == SensorKind.Weight
        ? string.Create(CultureInfo.InvariantCulture, $"{PiecesOf(setup, value)} pieces ({value:0} g)")
        : string.Create(CultureInfo.InvariantCulture, $"{value:0.0} °C");
}
