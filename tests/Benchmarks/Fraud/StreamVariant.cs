namespace Shop.Benchmarks.Fraud;

/// <summary>
/// What a generated world is like, drawn anew for each seed and over wide ranges, so that what is tuned on some worlds has to hold in others.
/// </summary>
internal sealed class StreamVariant
{
    public StreamVariant(Random random)
    {
        Days = random.Next(10, 46);
        Shoppers = (int)random.Spread(600, 4_000);
        OrdersADay = random.Spread(0.03, 0.2);
        Currencies = random.Chance(0.6) ? ["EUR"] : random.Chance(0.5) ? ["EUR", "USD", "GBP"] : [random.Pick("USD", "JPY", "SEK")];
        MedianAmount = random.Spread(15, 90);
        AmountSpread = random.Between(0.35, 0.9);
        OwnSpread = random.Between(0.2, 0.6);
        BaseDecline = random.Between(0.005, 0.04);
        NewcomersADay = Shoppers * random.Spread(0.002, 0.012);
        FirstOrderIsNull = random.Chance(0.6);
        Families = (int)(Shoppers * random.Between(0.01, 0.05));
        SharedFamilyDevice = random.Between(0, 0.6);
        Dormitories = random.Next(1, 5);
        Offices = (int)Math.Ceiling(Shoppers * random.Spread(0.0005, 0.003));
        // by what is ordered at all, so that the odd ones stay few among the many
        var orders = Shoppers * OrdersADay * Days;
        GiftBuyers = orders * random.Between(0.001, 0.006);
        Travellers = orders * random.Between(0.002, 0.008);
        BankSaysNo = orders * random.Between(0.002, 0.012);
        GenerousShare = random.Between(0.02, 0.12);
        SaleFactor = random.Spread(3, 10);
        NewDevice = random.Between(0.0005, 0.004);
        AttacksOfAKind = (int)random.Spread(3, 12);
    }

    public int Days { get; }
    public int Shoppers { get; }
    public double OrdersADay { get; }
    public string[] Currencies { get; }
    public double MedianAmount { get; }
    public double AmountSpread { get; }
    public double OwnSpread { get; }
    public double BaseDecline { get; }
    public double NewcomersADay { get; }
    public bool FirstOrderIsNull { get; }
    public int Families { get; }
    public double SharedFamilyDevice { get; }
    public int Dormitories { get; }
    public int Offices { get; }
    public double GiftBuyers { get; }
    public double Travellers { get; }
    public double BankSaysNo { get; }
    public double GenerousShare { get; }
    public double SaleFactor { get; }
    public double NewDevice { get; }
    public int AttacksOfAKind { get; }
}

/// <summary>Distributions.</summary>
internal static class RandomExtensions
{
    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;

    public static double Between(this Random random, double from, double to) => from + random.NextDouble() * (to - from);

    /// <summary>Evenly over the logarithm.</summary>
    public static double Spread(this Random random, double from, double to) => from * Math.Pow(to / from, random.NextDouble());

    public static T Pick<T>(this Random random, params ReadOnlySpan<T> of) => of[random.Next(of.Length)];

    public static double Normal(this Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double LogNormal(this Random random, double spread) => Math.Exp(random.Normal() * spread);

    public static int Poisson(this Random random, double mean)
    {
        if (mean > 50)
            return Math.Max(0, (int)Math.Round(mean + random.Normal() * Math.Sqrt(mean)));
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = random.NextDouble(); product > limit; product *= random.NextDouble())
            count++;
        return count;
    }
}
