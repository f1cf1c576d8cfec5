using System.Text.Json;
using Shop.Cli.Devices;

namespace Shop.Cli.Tests.Devices;

public sealed class SimulatedSensorTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_same_seed_sends_the_same()
    {
        Assert.Equal(Sent(7, 600), Sent(7, 600));
        Assert.NotEqual(Sent(7, 600), Sent(8, 600));
    }

    [Fact]
    public void Every_reading_is_sent_some_again_and_some_late()
    {
        var sent = Sent(7, 3600);

        Assert.Equal(2 * 3600, sent.SelectMany(readings => readings).Distinct().Count());
        Assert.InRange(sent.Sum(readings => readings.Count), 2 * 3600 + 1, 2 * 3600 * 1.2);
        var order = sent.SelectMany(readings => readings).Select(reading => reading.At).ToList();
        Assert.NotEqual(order.Order(), order);
    }

    [Fact]
    public void What_did_not_get_through_is_sent_again_up_to_what_fits()
    {
        var sensor = new SimulatedSensor("shelf", "key", "mug", 0, 1);
        for (var second = 0; second < 2000; second++)
        {
            sensor.Take(second, Noon.AddSeconds(second));
            if (sensor.Next(Noon.AddSeconds(second)) is { Count: > 0 } readings)
                sensor.Keep(readings);
        }
        Assert.InRange(sensor.Next(Noon.AddSeconds(2000)).Count, 900, 1000);
    }

    [Fact]
    public void A_reading_is_written_as_the_API_takes_it()
    {
        var scale = new SimulatedSensor("shelf", "key", "mug", 0, 1);
        var thermometer = new SimulatedSensor("room", "key", null, 0, 1);
        Assert.Equal("""[{"at":"2026-11-26T12:00:00+00:00","weightGrams":1200.5}]""", JsonElement.Parse(scale.ToJson([new(Noon, 1200.5)])).GetRawText());
        Assert.Equal("""[{"at":"2026-11-26T12:00:00+00:00","celsius":4.5}]""", JsonElement.Parse(thermometer.ToJson([new(Noon, 4.5)])).GetRawText());
    }

    /// <summary>What a sensor sends second by second, and in the end what is still late.</summary>
    private static List<IReadOnlyList<SimulatedReading>> Sent(int seed, int seconds)
    {
        var sensor = new SimulatedSensor("shelf", "key", "mug", 40, seed);
        var sent = new List<IReadOnlyList<SimulatedReading>>();
        for (var second = 0; second < seconds; second++)
        {
            sensor.Take(1000, Noon.AddSeconds(second));
            sensor.Take(1000, Noon.AddSeconds(second + 0.5));
            sent.Add(sensor.Next(Noon.AddSeconds(second + 1)));
        }
        sent.Add(sensor.Next(Noon.AddSeconds(seconds + 60)));
        return sent;
    }
}
