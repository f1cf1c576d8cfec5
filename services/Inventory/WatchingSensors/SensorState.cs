namespace Shop.Inventory.WatchingSensors;

/// <summary>What is known of a sensor from its readings; a row of <c>sensor_states</c>, written by <see cref="SensorStates"/>.</summary>
/// <param name="Sensor">The sensor.</param>
/// <param name="ReadAt">The time of its newest reading: by its clock, but never later than the reading arrived. Null before the first.</param>
/// <param name="ReportedAt">That reading's time by the sensor's clock alone, by which a repetition is known.</param>
/// <param name="Value">The newest reading: grams or degrees Celsius.</param>
/// <param name="HeardAt">When something last arrived from it.</param>
/// <param name="Strikes">Readings in a row that speak against what is taken to be so: that all is well, or that it is not.</param>
/// <param name="Alarm">The open alarm about what it measures.</param>
/// <param name="SilenceAlarm">The open alarm about its silence.</param>
internal sealed record SensorState(string Sensor, DateTimeOffset? ReadAt, DateTimeOffset? ReportedAt, double? Value, DateTimeOffset? HeardAt, short Strikes, Guid? Alarm, Guid? SilenceAlarm)
{
    /// <summary>Of a sensor that has not sent anything yet.</summary>
    public static SensorState Of(string sensor) => new(sensor, null, null, null, null, 0, null, null);
}
