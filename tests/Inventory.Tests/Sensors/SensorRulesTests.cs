using System.Text.Json;
using Shop.Inventory.ReceivingReadings;
using Shop.Inventory.Sensors;
using Shop.Inventory.WatchingSensors;

namespace Shop.Inventory.Tests.Sensors;

public sealed class SensorRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);
    private static readonly SensorState Fresh = SensorState.Of("shelf");

    [Theory]
    [InlineData(100, "Good")]
    [InlineData(100.3, "Good")]
    [InlineData(99.7, "Good")]
    [InlineData(99.5, "Undecided")]
    [InlineData(99.2, "Bad")]
    [InlineData(97, "Bad")]
    [InlineData(101, "Bad")]
    public void A_weight_is_judged_by_the_pieces_it_is_off(double pieces, string opinion) =>
        Assert.Equal(opinion, SensorRules.OfWeight(1200 + pieces * 350, 1200, 350, 100, 100).ToString());

    [Theory]
    [InlineData(98, "Good")]
    [InlineData(99, "Good")]
    [InlineData(100, "Good")]
    [InlineData(97, "Bad")]
    [InlineData(101, "Bad")]
    public void Goods_that_an_order_has_just_taken_may_still_lie_there_or_not(double pieces, string opinion) =>
        Assert.Equal(opinion, SensorRules.OfWeight(1200 + pieces * 350, 1200, 350, fewest: 98, most: 100).ToString());

    [Theory]
    [InlineData(2, 8, 5, "Good")]
    [InlineData(2, 8, 8, "Undecided")]
    [InlineData(2, 8, 8.01, "Bad")]
    [InlineData(2, 8, 1.9, "Bad")]
    [InlineData(2, 8, 2.5, "Good")]
    [InlineData(2, 3, 2.5, "Good")]
    public void A_temperature_is_judged_by_its_limits(double min, double max, double celsius, string opinion) =>
        Assert.Equal(opinion, SensorRules.OfTemperature(celsius, min, max).ToString());

    [Fact]
    public void An_alarm_opens_once_and_closes_once_whatever_comes_between()
    {
        Assert.Equal(
            ["Nothing", "Nothing", "Nothing", "Raise", "Nothing", "Nothing", "Nothing", "Nothing", "Clear", "Nothing"],
            Verdicts(Opinion.Bad, Opinion.Good, Opinion.Bad, Opinion.Bad, Opinion.Bad, Opinion.Good, Opinion.Undecided, Opinion.Good, Opinion.Good, Opinion.Good));
        Assert.Equal(["Nothing", "Nothing", "Nothing", "Nothing"], Verdicts(Opinion.Bad, Opinion.Undecided, Opinion.Bad, Opinion.Good));
    }

    [Fact]
    public void What_comes_again_or_late_only_says_that_the_sensor_lives()
    {
        var (state, _) = SensorRules.OnReading(Fresh, Noon, Noon.AddSeconds(1), 10, () => Opinion.Bad);
        var (repeated, _) = SensorRules.OnReading(state, Noon, Noon.AddSeconds(5), 10, () => throw new InvalidOperationException("asked"));
        var (late, _) = SensorRules.OnReading(repeated, Noon.AddHours(-1), Noon.AddSeconds(6), 99, () => throw new InvalidOperationException("asked"));

        Assert.Equal(state with { HeardAt = Noon.AddSeconds(6) }, late);
        Assert.Equal(1, late.Strikes);
    }

    [Fact]
    public void What_comes_again_from_a_clock_that_is_ahead_is_not_new()
    {
        var state = Fresh;
        foreach (var second in new[] { 0, 10, 20, 30 })
            (state, _) = SensorRules.OnReading(state, Noon.AddSeconds(second + 60), Noon.AddSeconds(second), 10, () => Opinion.Good);

        foreach (var second in new[] { 0, 10 })
        {
            var (again, verdict) = SensorRules.OnReading(state, Noon.AddSeconds(second + 60), Noon.AddSeconds(35), 99, () => throw new InvalidOperationException("asked"));
            Assert.Equal((state with { HeardAt = Noon.AddSeconds(35) }, Verdict.Nothing), (again, verdict));
        }
    }

    [Fact]
    public void A_reading_has_no_more_of_its_time_than_the_database_keeps()
    {
        var reading = JsonDocument.Parse("""{"at":"2026-11-26T12:00:00.1234567Z","celsius":5}""").RootElement;
        var (told, _) = ReadingParser.Read("room", SensorKind.Temperature, reading, Noon);
        Assert.Equal(Noon.AddTicks(123_456 * TimeSpan.TicksPerMicrosecond), told!.At);
    }

    [Fact]
    public void A_reading_of_yesterday_that_is_the_newest_is_kept_and_not_judged()
    {
        var (state, verdict) = SensorRules.OnReading(Fresh, Noon.AddDays(-1), Noon, 10, () => throw new InvalidOperationException("asked"));
        Assert.Equal((Noon.AddDays(-1), 10, Verdict.Nothing), (state.ReadAt!.Value, state.Value!.Value, verdict));
    }

    [Fact]
    public void A_clock_that_was_ahead_and_is_set_makes_nothing_old()
    {
        var (ahead, _) = SensorRules.OnReading(Fresh, Noon.AddMinutes(4), Noon, 10, () => Opinion.Good);
        var (set, _) = SensorRules.OnReading(ahead, Noon.AddSeconds(1), Noon.AddSeconds(1), 20, () => Opinion.Good);
        Assert.Equal((Noon.AddSeconds(1), 20), (set.ReadAt!.Value, set.Value!.Value));

        // several that arrive together, each later than the other by a clock that is ahead
        var (second, _) = SensorRules.OnReading(ahead, Noon.AddMinutes(4).AddSeconds(1), Noon, 30, () => Opinion.Good);
        Assert.Equal(30, second.Value);
    }

    /// <summary>7,200 readings with noise of up to a fifth of a piece, and a spike now and then.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void An_hour_of_noise_is_no_alarm(int seed)
    {
        var random = new Random(seed);
        var state = Fresh;
        for (var second = 0; second < 7200; second++)
        {
            var noise = Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6; // nearly normal, of deviation 1
            var pieces = 100 + noise * 0.15 + (second % 600 == 0 ? 3 : 0);
            (state, var verdict) = SensorRules.OnReading(state, Noon.AddSeconds(second * 0.5), Noon.AddSeconds(second * 0.5 + 0.1), pieces,
                () => SensorRules.OfWeight(pieces * 350, 0, 350, 100, 100));
            Assert.Equal(Verdict.Nothing, verdict);
        }
    }

    [Fact]
    public void The_levels_of_a_time_are_those_that_were_said_in_it()
    {
        (int, DateTimeOffset)[] movements = [(-2, Noon.AddSeconds(-1)), (-3, Noon.AddSeconds(-20)), (50, Noon.AddSeconds(-40))];

        Assert.Equal((95, 97, 95), StockLevels.Within(95, movements, 100, Noon.AddSeconds(-5), Noon));
        Assert.Equal((95, 100, 95), StockLevels.Within(95, movements, 100, Noon.AddSeconds(-30), Noon));
        Assert.Equal((97, 97, 95), StockLevels.Within(95, movements, 100, Noon.AddSeconds(-15), Noon.AddSeconds(-10)));
        Assert.Equal((50, 100, 95), StockLevels.Within(95, movements, 100, Noon.AddSeconds(-60), Noon));
        Assert.Null(StockLevels.Within(95, movements, limit: 3, Noon.AddSeconds(-60), Noon));
        Assert.Equal((95, 95, 95), StockLevels.Within(95, [], 100, Noon.AddSeconds(-5), Noon));
    }

    private static List<string> Verdicts(params Opinion[] opinions)
    {
        var (state, verdicts) = (Fresh, new List<string>());
        for (var i = 0; i < opinions.Length; i++)
        {
            (state, var verdict) = SensorRules.OnReading(state, Noon.AddSeconds(i), Noon.AddSeconds(i), i, () => opinions[i]);
            verdicts.Add(verdict.ToString());
        }
        return verdicts;
    }
}
