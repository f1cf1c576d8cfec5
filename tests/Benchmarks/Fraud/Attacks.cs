namespace Shop.Benchmarks.Fraud;

/// <summary>What fraudsters do.</summary>
internal static class Attacks
{
    public static void Launch(World world)
    {
        var victims = world.Payments.Where(payment => payment.Behaviour is "normal").GroupBy(payment => payment.ShopperId)
            .Where(payments => payments.Count() > 2).Select(payments => payments.Key).ToHashSet(StringComparer.Ordinal);
        var known = world.Shoppers.Where(shopper => victims.Contains(shopper.Id)).ToArray();
        for (var i = 0; i < world.Variant.AttacksOfAKind; i++)
        {
            TestCards(world, "card-testing-fast", i, world.Random.Next(8, 70), minutes: world.Random.Spread(0.05, 3));
            TestCards(world, "card-testing-slow", i, world.Random.Next(6, 25), minutes: world.Random.Spread(40, 1_200));
            SpendStolenCard(world, i, known);
            if (known.Length > 0)
                TakeOver(world, i, known[world.Random.Next(known.Length)]);
            OpenAccounts(world, i);
        }
    }

    private static double Gap(Random random, double mean) => mean * random.Between(0.4, 1.8);

    private static Shopper Stranger(World world, string? address, string? device, string? card) =>
        world.AddShopper("fraudster", isNew: true, address: address, device: device, card: card);

    /// <summary>Somebody tries which of many stolen numbers still work, from few devices and accounts, and buys with those that do.</summary>
    private static void TestCards(World world, string label, int number, int cards, double minutes)
    {
        var random = world.Random;
        var attack = $"{label}-{number}";
        var (shoppersEach, devicesEach) = random.Pick((1_000, 1_000), (3, 1_000), (1, 1_000), (1_000, 4), (2, 6));
        string address = world.NewId("a"), device = world.NewId("d");
        var shopper = Stranger(world, address, device, null);
        var (at, decline, small) = (world.AnyMoment(cards * minutes / 1_440 + 1), random.Between(0.35, 0.9), random.Spread(0.02, 0.35));
        var good = new List<string>();
        for (var i = 1; i <= cards; i++)
        {
            var card = world.NewId("c");
            if (i % devicesEach == 0)
                device = world.NewId("d");
            if (i % shoppersEach == 0)
                shopper = Stranger(world, address, device, null);
            var refused = random.Chance(decline);
            world.Pay(shopper, at, world.Amount(shopper.Currency, small * random.LogNormal(0.3)), card, device, address, decline: refused ? 1 : 0, label: label, attack: attack);
            if (!refused)
                good.Add(card);
            at = at.AddMinutes(Gap(random, minutes));
        }
        if (!random.Chance(0.7))
            return;
        foreach (var card in good.Take(random.Next(1, 6)))
        {
            at = at.AddMinutes(Gap(random, Math.Max(2, minutes)));
            world.Pay(shopper, at, world.Amount(shopper.Currency, random.Spread(2, 12)), card, device, address, decline: 0.1, label: label, attack: attack);
        }
    }

    /// <summary>One stolen card, or two, is spent quickly from an account made for it, sometimes from several.</summary>
    private static void SpendStolenCard(World world, int number, Shopper[] known)
    {
        const string Label = "stolen-card";
        var random = world.Random;
        string device = world.NewId("d"), address = world.NewId("a"), attack = $"{Label}-{number}";
        var owner = known.Length > 0 && random.Chance(0.3) ? known[random.Next(known.Length)] : null;
        var card = owner?.Card ?? world.NewId("c");
        var shopper = Stranger(world, address, device, card);
        var country = random.Chance(0.4) ? world.AnotherCountry("DE") : null;
        var (at, minutes, factor) = (world.AnyMoment(2), random.Spread(3, 500), random.Spread(2, 9));
        for (var payments = random.Next(3, 12); payments > 0; payments--)
        {
            world.Pay(shopper, at, world.Amount(shopper.Currency, factor * random.LogNormal(0.4)), card, device, address, country, decline: 0.08, label: Label, attack: attack);
            at = at.AddMinutes(Gap(random, minutes));
            if (random.Chance(0.1))
                shopper = Stranger(world, address, device, card);
            if (random.Chance(0.08))
                card = world.NewId("c");
            if (random.Chance(0.05))
                device = world.NewId("d");
        }
    }

    /// <summary>Somebody else has a known shopper's password.</summary>
    private static void TakeOver(World world, int number, Shopper victim)
    {
        const string Label = "account-takeover";
        var random = world.Random;
        string device = world.NewId("d"), attack = $"{Label}-{number}";
        var address = random.Chance(0.85) ? world.NewId("a") : victim.Address;
        var country = random.Chance(0.35) ? world.AnotherCountry(victim.Country) : null;
        var card = random.Chance(0.65) ? victim.Card : world.NewId("c");
        var (minutes, factor) = (random.Spread(2, 360), random.Spread(1.5, 8));
        var at = world.Moment((world.Variant.Days - 2) * random.Between(0.4, 1));
        for (var payments = random.Next(2, 9); payments > 0; payments--)
        {
            world.Pay(victim, at, world.AmountFor(victim, factor), card, device, address, country, decline: 0.08, label: Label, attack: attack);
            at = at.AddMinutes(Gap(random, minutes));
        }
    }

    /// <summary>Many accounts are opened, by one person.</summary>
    private static void OpenAccounts(World world, int number)
    {
        const string Label = "fresh-accounts";
        var random = world.Random;
        var attack = $"{Label}-{number}";
        var accounts = random.Next(6, 40);
        var mode = random.Next(4);
        var devices = Enumerable.Range(0, mode == 1 ? accounts : random.Next(1, 4)).Select(_ => world.NewId("d")).ToArray();
        var addresses = Enumerable.Range(0, mode is 1 or 3 ? 1 : random.Next(1, 6)).Select(_ => world.NewId("a")).ToArray();
        var cards = Enumerable.Range(0, mode == 2 ? random.Next(1, 4) : accounts).Select(_ => world.NewId("c")).ToArray();
        var (at, minutes, factor) = (world.AnyMoment(1), random.Spread(0.3, 20), random.Spread(0.5, 4));
        for (var i = 0; i < accounts; i++)
        {
            var shopper = Stranger(world, addresses[i % addresses.Length], devices[i % devices.Length], cards[i % cards.Length]);
            for (var orders = random.Chance(0.2) ? 2 : 1; orders > 0; orders--)
            {
                world.Pay(shopper, at, world.Amount(shopper.Currency, factor * random.LogNormal(0.3)), shopper.Card, decline: 0.12, label: Label, attack: attack);
                at = at.AddMinutes(Gap(random, minutes));
            }
        }
    }
}
