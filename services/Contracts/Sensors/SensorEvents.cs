namespace Shop.Contracts;

/// <summary>A sensor in the warehouse took a reading. A device may send a reading again, late, and by a clock that is wrong.</summary>
/// <param name="Sensor">The sensor.</param>
/// <param name="At">When it was taken, by the device's clock; the event's own time is that of its arrival.</param>
/// <param name="WeightGrams">Grams on a shelf, the shelf included; null for other sensors.</param>
/// <param name="Celsius">Degrees Celsius; null for other sensors.</param>
public sealed record SensorReported(string Sensor, DateTimeOffset At, double? WeightGrams, double? Celsius);
