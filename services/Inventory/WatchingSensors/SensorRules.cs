namespace Shop.Inventory.WatchingSensors;

/// <summary>What a reading says about whether all is well.</summary>
internal enum Opinion
{
    /// <summary>It is not.</summary>
    Bad,

    /// <summary>Neither: what was taken to be so before still is.</summary>
    Undecided,

    /// <summary>It is.</summary>
    Good,
}

/// <summary>What comes of a reading.</summary>
internal enum Verdict
{
    /// <summary>Nothing changes.</summary>
    Nothing,

    /// <summary>An alarm begins.</summary>
    Raise,

    /// <summary>The alarm is over.</summary>
    Clear,
}

/// <summary>The rules by which readings become alarms, as pure functions of what was known and the reading.</summary>
/// <remarks>
/// Noise is kept out twice: between what begins an alarm and what ends it lies a band (hysteresis), and either takes two readings in a row,
/// since one may be a hand on the shelf or a door that was open for a moment.
/// </remarks>
internal static class SensorRules
{
    /// <summary>Readings in a row that change what is taken to be so.</summary>
    public const int Strikes = 2;

    /// <summary>Pieces too many or too few from which on goods are missing: the most that noise may come to is less.</summary>
    private const double MissingPieces = 0.75;

    /// <summary>Pieces too many or too few up to which nothing is.</summary>
    private const double RightPieces = 0.4;

    /// <summary>How far inside of its limits, in degrees Celsius, a temperature is well again; a quarter of the range where that is less.</summary>
    private const double TemperatureBand = 0.5;

    /// <summary>How much later a reading may arrive than it was taken and still be compared with the stock: clocks differ, and so do networks.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromMinutes(5);

    /// <summary>How far ahead a clock may be and still be one that goes right.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(2);

    /// <summary>A shelf's weight against the pieces that the stock says, or has just said, are there.</summary>
    /// <param name="grams">What was measured.</param>
    /// <param name="tareGrams">What the empty shelf weighs.</param>
    /// <param name="unitGrams">What a piece weighs.</param>
    /// <param name="fewest">The fewest pieces that the stock has said at the time.</param>
    /// <param name="most">The most.</param>
    public static Opinion OfWeight(double grams, double tareGrams, double unitGrams, int fewest, int most)
    {
        var pieces = (grams - tareGrams) / unitGrams;
        var off = Math.Max(fewest - pieces, pieces - most);
        return off >= MissingPieces ? Opinion.Bad : off <= RightPieces ? Opinion.Good : Opinion.Undecided;
    }

    /// <summary>A temperature against its limits.</summary>
    public static Opinion OfTemperature(double celsius, double min, double max)
    {
        if (celsius < min || celsius > max)
            return Opinion.Bad;
        var band = Math.Min(TemperatureBand, (max - min) / 4);
        return celsius >= min + band && celsius <= max - band ? Opinion.Good : Opinion.Undecided;
    }

    /// <summary>
    /// The state after a reading. One that is not newer than the newest, or is that one again, only says that the sensor lives. The time of a
    /// clock that is ahead counts as that of the arrival, so that what comes once the clock was set is not taken for old.
    /// </summary>
    /// <param name="state">What was known.</param>
    /// <param name="reportedAt">When it was taken, by the sensor's clock.</param>
    /// <param name="arrivedAt">When it arrived.</param>
    /// <param name="value">What was measured.</param>
    /// <param name="opinion">What it says; asked for only where it counts.</param>
    public static (SensorState State, Verdict Verdict) OnReading(SensorState state, DateTimeOffset reportedAt, DateTimeOffset arrivedAt, double value, Func<Opinion> opinion)
    {
        state = state with { HeardAt = state.HeardAt > arrivedAt ? state.HeardAt : arrivedAt };
        var readAt = reportedAt < arrivedAt ? reportedAt : arrivedAt;
        // behind the newest by a clock that is ahead is what comes again; by one that goes right the other clock was ahead, and was set
        var isNewer = state.ReadAt is null || reportedAt > state.ReportedAt || (reportedAt < state.ReportedAt && reportedAt <= arrivedAt + Ahead && readAt > state.ReadAt);
        if (!isNewer)
            return (state, Verdict.Nothing);
        state = state with { ReadAt = readAt, ReportedAt = reportedAt, Value = value };
        if (arrivedAt - readAt > Latest)
            return (state, Verdict.Nothing);

        var against = state.Alarm is null ? Opinion.Bad : Opinion.Good;
        if (opinion() != against)
            return (state with { Strikes = 0 }, Verdict.Nothing);
        if (state.Strikes + 1 < Strikes)
            return (state with { Strikes = (short)(state.Strikes + 1) }, Verdict.Nothing);
        return state.Alarm is null
            ? (state with { Strikes = 0, Alarm = Guid.CreateVersion7(arrivedAt) }, Verdict.Raise)
            : (state with { Strikes = 0, Alarm = null }, Verdict.Clear);
    }
}
