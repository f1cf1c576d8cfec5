using System.Text.Json;

namespace Shop.Cli.Devices;

/// <summary>A reading as the device took it.</summary>
internal readonly record struct SimulatedReading(DateTimeOffset At, double Value);

/// <summary>
/// A device as they are: its clock is wrong by a little, or by a minute; what it measures has noise; it takes a reading twice a second and sends
/// them each second, some again, and some only much later.
/// </summary>
internal sealed class SimulatedSensor
{
    /// <summary>The time between two readings.</summary>
    public static readonly TimeSpan ReadingInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>More than a device has room for: the oldest are lost.</summary>
    private const int MostKept = 1000;

    private const double RepeatChance = 0.03, LateChance = 0.02, MinuteSkewChance = 0.05;

    private readonly Random _random;
    private readonly string _member;
    private readonly TimeSpan _skew;
    private readonly List<SimulatedReading> _kept = [];
    private readonly List<(DateTimeOffset Due, SimulatedReading Reading)> _late = [];
    private List<SimulatedReading> _sent = [];

    /// <param name="name">The sensor.</param>
    /// <param name="key">Its key.</param>
    /// <param name="sku">The product on its shelf; null for a thermometer.</param>
    /// <param name="noise">The noise's standard deviation.</param>
    /// <param name="seed">What its chances begin with.</param>
    public SimulatedSensor(string name, string key, string? sku, double noise, int seed)
    {
        (Name, Key, Sku, Noise) = (name, key, sku, noise);
        _random = new Random(seed);
        _member = sku is null ? "celsius" : "weightGrams";
        _skew = _random.NextDouble() < MinuteSkewChance
            ? TimeSpan.FromSeconds(_random.Next(2) == 0 ? 60 : -60)
            : TimeSpan.FromSeconds(_random.NextDouble() * 4 - 2);
    }

    public string Name { get; }

    public string Key { get; }

    public string? Sku { get; }

    public double Noise { get; }

    /// <summary>Whether it sends nothing any more.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Readings sent again, and sent late.</summary>
    public (int Repeated, int Late) Odd { get; private set; }

    /// <summary>Part of a second by which it sends earlier or later than it should.</summary>
    public TimeSpan Jitter() => TimeSpan.FromMilliseconds(_random.Next(-150, 151));

    /// <summary>Takes a reading of what is so.</summary>
    public void Take(double value, DateTimeOffset now)
    {
        // the sum of twelve is nearly normal
        var noise = -6.0;
        for (var i = 0; i < 12; i++)
            noise += _random.NextDouble();
        var reading = new SimulatedReading(now + _skew, Math.Round(value + noise * Noise, 2));
        if (_random.NextDouble() < LateChance)
            _late.Add((now + TimeSpan.FromSeconds(_random.Next(3, 20)), reading));
        else
            _kept.Add(reading);
        if (_kept.Count > MostKept)
            _kept.RemoveRange(0, _kept.Count - MostKept);
    }

    /// <summary>What it sends now: what it has kept, what is late, and at times what it has sent already. None where there is nothing.</summary>
    public IReadOnlyList<SimulatedReading> Next(DateTimeOffset now)
    {
        var (repeated, late) = Odd;
        var sending = new List<SimulatedReading>(_kept);
        if (_random.NextDouble() < RepeatChance && _sent.Count > 0)
        {
            sending.AddRange(_sent);
            repeated += _sent.Count;
        }
        foreach (var (_, reading) in _late.Where(late => late.Due <= now))
        {
            sending.Add(reading);
            late++;
        }
        _late.RemoveAll(late => late.Due <= now);
        Odd = (repeated, late);
        _sent = [.. sending.TakeLast(MostKept)];
        _kept.Clear();
        return _sent;
    }

    /// <summary>What was sent did not get through: it is kept.</summary>
    public void Keep(IReadOnlyList<SimulatedReading> readings) => _kept.InsertRange(0, readings.Take(MostKept - Math.Min(MostKept, _kept.Count)));

    /// <summary>Readings as the API takes them.</summary>
    public byte[] ToJson(IReadOnlyList<SimulatedReading> readings)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var reading in readings)
            {
                writer.WriteStartObject();
                writer.WriteString("at", reading.At);
                writer.WriteNumber(_member, reading.Value);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        return buffer.ToArray();
    }
}
