namespace Shop.Benchmarks.Fraud;

/// <summary>A shopper of a generated world.</summary>
internal sealed class Shopper
{
    public required string Id { get; init; }
    public required string Device { get; set; }
    public required string Card { get; set; }
    public string? SecondCard { get; init; }
    public required string Address { get; set; }
    public required string Country { get; init; }
    public required string Currency { get; init; }
    public required double UsualFactor { get; init; }
    public required double OrdersADay { get; init; }
    public required string Behaviour { get; init; }
    public DateTimeOffset? FirstOrderAt { get; set; }
}

/// <summary>Makes shoppers and payments, and keeps what was made.</summary>
internal sealed class World(Random random, StreamVariant variant, DateTimeOffset start)
{
    private static readonly string[] Countries = ["DE", "FR", "GB", "AT", "NL", "IT", "ES", "PL"];
    // the hours of a day, by how much is bought in them
    private static readonly double[] Rhythm = [2, 1, 0.5, 0.5, 0.5, 1, 2, 3, 5, 6, 6, 6, 7, 6, 6, 6, 6, 7, 8, 10, 11, 10, 7, 4];
    private int _lastId;

    public Random Random => random;
    public StreamVariant Variant => variant;
    public DateTimeOffset Start => start;
    public List<Shopper> Shoppers { get; } = [];
    public List<LabelledPayment> Payments { get; } = [];

    public string NewId(string kind) => $"{kind}-{++_lastId:x6}";

    public Shopper AddShopper(string behaviour, bool isNew = false, string? address = null, string? device = null, string? card = null, double orders = 1, double amount = 1)
    {
        var shopper = new Shopper
        {
            Id = NewId("s"),
            Device = device ?? NewId("d"),
            Card = card ?? NewId("c"),
            SecondCard = random.Chance(0.2) ? NewId("c") : null,
            Address = address ?? NewId("a"),
            Country = random.Chance(0.8) ? Countries[0] : random.Pick<string>(Countries),
            Currency = random.Pick<string>(variant.Currencies),
            UsualFactor = amount * random.LogNormal(Math.Sqrt(Math.Max(0.01, variant.AmountSpread * variant.AmountSpread - variant.OwnSpread * variant.OwnSpread))),
            OrdersADay = variant.OrdersADay * orders * random.LogNormal(0.7),
            Behaviour = behaviour,
            FirstOrderAt = isNew ? null : start.AddDays(-random.Spread(2, 900)),
        };
        Shoppers.Add(shopper);
        return shopper;
    }

    /// <summary>A moment of a day, by the daily rhythm.</summary>
    public DateTimeOffset Moment(double day)
    {
        var hour = random.NextDouble() * Rhythm.Sum();
        var i = 0;
        while ((hour -= Rhythm[i]) > 0 && i < 23)
            i++;
        return start.AddDays(Math.Floor(day)).AddHours(i + random.NextDouble());
    }

    /// <summary>Any moment, so early that what takes <paramref name="days"/> still ends within the stream, where that is possible.</summary>
    public DateTimeOffset AnyMoment(double days = 0) => Moment(random.NextDouble() * Math.Max(1, variant.Days - days));

    public string AnotherCountry(string than)
    {
        string country;
        do
            country = random.Pick("US", "TH", "BR", "TR", "ES", "IT", "GR", "GB", "NG", "RO");
        while (country == than);
        return country;
    }

    /// <summary>An amount as this shopper would spend it; in yen and crowns numbers are larger.</summary>
    public decimal AmountFor(Shopper shopper, double factor = 1) => Amount(shopper.Currency, shopper.UsualFactor * factor * random.LogNormal(variant.OwnSpread));

    /// <summary>An amount as a multiple of the usual one.</summary>
    public decimal Amount(string currency, double factor)
    {
        var scale = currency switch { "JPY" => 160, "SEK" => 11, _ => 1 };
        return Math.Max(0.01m, Math.Round((decimal)(variant.MedianAmount * scale * factor), currency == "JPY" ? 0 : 2));
    }

    public void Pay(Shopper shopper, DateTimeOffset at, decimal amount, string? card = null, string? device = null, string? address = null, string? country = null,
        double? decline = null, string label = LabelledPayment.Legit, string? attack = null, string? behaviour = null)
    {
        if (at < start || at >= start.AddDays(variant.Days))
            return;
        var declined = random.Chance(decline ?? variant.BaseDecline);
        Payments.Add(new(at, shopper.Id, card ?? (shopper.SecondCard is { } second && random.Chance(0.25) ? second : shopper.Card), device ?? shopper.Device,
            address ?? shopper.Address, country ?? shopper.Country, amount, shopper.Currency, null, declined ? Outcome.Declined : Outcome.Authorized, label, attack)
        {
            Behaviour = behaviour ?? (attack is null ? shopper.Behaviour : null),
        });
    }
}
