namespace Shop.Benchmarks.Fraud;

/// <summary>Makes a labelled stream: the same for the same seed.</summary>
public static class PaymentStream
{
    /// <summary>The payments of the world of <paramref name="seed"/>, in event time.</summary>
    public static IReadOnlyList<LabelledPayment> Generate(int seed)
    {
        var random = new Random(seed);
        var variant = new StreamVariant(random);
        var world = new World(random, variant, new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero));
        LegitimateShoppers.Live(world);
        Attacks.Launch(world);
        return Numbered(world);
    }

    /// <summary>In order, with the first order of each shopper, which is only known now.</summary>
    private static List<LabelledPayment> Numbered(World world)
    {
        var known = world.Shoppers.ToDictionary(shopper => shopper.Id, shopper => shopper.FirstOrderAt);
        var payments = new List<LabelledPayment>(world.Payments.Count);
        foreach (var payment in world.Payments.OrderBy(payment => payment.At).ThenBy(payment => payment.ShopperId, StringComparer.Ordinal))
        {
            var first = known[payment.ShopperId];
            payments.Add(payment with { FirstOrderAt = first ?? (world.Variant.FirstOrderIsNull ? null : payment.At) });
            known[payment.ShopperId] = first ?? payment.At;
        }
        return payments;
    }
}
