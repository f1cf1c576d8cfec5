namespace Shop.Inventory.Sensors;

/// <summary>What a sensor measures.</summary>
internal enum SensorKind
{
    /// <summary>The weight of a shelf with one product.</summary>
    Weight,

    /// <summary>The temperature of a room.</summary>
    Temperature,
}

/// <summary>What a sensor is for: either what its shelf holds, or its limits.</summary>
/// <param name="Kind">What it measures.</param>
/// <param name="Sku">The product on its shelf.</param>
/// <param name="UnitGrams">What a piece weighs.</param>
/// <param name="TareGrams">What the empty shelf weighs.</param>
/// <param name="MinCelsius">The lowest temperature that is right.</param>
/// <param name="MaxCelsius">The highest.</param>
internal sealed record SensorSetup(SensorKind Kind, string? Sku, double? UnitGrams, double? TareGrams, double? MinCelsius, double? MaxCelsius);

/// <summary>A registered sensor. Only a digest of its key is kept.</summary>
internal sealed class Sensor
{
    // EF Core
    private Sensor()
    {
    }

    /// <summary>A new sensor.</summary>
    public Sensor(string name, SensorSetup setup, byte[] keyDigest, DateTimeOffset now)
    {
        Name = name;
        RegisteredAt = now;
        KeyDigest = keyDigest;
        SetUp(setup);
    }

    public string Name { get; private set; } = "";

    public SensorKind Kind { get; private set; }

    public string? Sku { get; private set; }

    public double? UnitGrams { get; private set; }

    public double? TareGrams { get; private set; }

    public double? MinCelsius { get; private set; }

    public double? MaxCelsius { get; private set; }

    public byte[] KeyDigest { get; private set; } = [];

    public DateTimeOffset RegisteredAt { get; private set; }

    public SensorSetup Setup => new(Kind, Sku, UnitGrams, TareGrams, MinCelsius, MaxCelsius);

    /// <summary>Has it measure something else.</summary>
    public void SetUp(SensorSetup setup) =>
        (Kind, Sku, UnitGrams, TareGrams, MinCelsius, MaxCelsius) = (setup.Kind, setup.Sku, setup.UnitGrams, setup.TareGrams, setup.MinCelsius, setup.MaxCelsius);

    /// <summary>Its earlier key is no longer one.</summary>
    public void ChangeKey(byte[] keyDigest) => KeyDigest = keyDigest;
}
