namespace Shop.Benchmarks.Fraud;

/// <summary>What people do who only want to buy something, however odd it looks.</summary>
internal static class LegitimateShoppers
{
    private const string Normal = "normal", Newcomer = "newcomer";

    public static void Live(World world)
    {
        var (random, variant) = (world.Random, world.Variant);
        for (var i = 0; i < variant.Shoppers; i++)
            world.AddShopper(Normal);
        AddFamilies(world);
        AddDormitories(world);
        AddOffices(world);

        var sale = random.Next(2, variant.Days);
        for (var day = 0; day < variant.Days; day++)
        {
            var rush = day == sale ? variant.SaleFactor : 1;
            foreach (var shopper in world.Shoppers)
            {
                if (random.Chance(variant.NewDevice))
                    shopper.Device = world.NewId("d");
                if (random.Chance(variant.NewDevice / 2))
                    shopper.Card = world.NewId("c");
                if (random.Chance(variant.NewDevice / 2))
                    shopper.Address = world.NewId("a");
                for (var orders = random.Poisson(shopper.OrdersADay * rush); orders > 0; orders--)
                    world.Pay(shopper, world.Moment(day), world.AmountFor(shopper), behaviour: rush > 1 ? "sale day" : null);
            }
            for (var newcomers = random.Poisson(variant.NewcomersADay * rush); newcomers > 0; newcomers--)
                Come(world, day, rush > 1);
        }
        Repeat(variant.GiftBuyers, () => BuyGifts(world));
        Repeat(variant.Travellers, () => Travel(world));
        Repeat(variant.BankSaysNo, () => BeRefused(world));
    }

    private static void Repeat(double times, Action what)
    {
        for (var i = 0; i < times; i++)
            what();
    }

    /// <summary>Somebody's first order, which may be a generous one.</summary>
    private static void Come(World world, int day, bool isSale)
    {
        var random = world.Random;
        var isGenerous = random.Chance(world.Variant.GenerousShare);
        var shopper = world.AddShopper(Newcomer, isNew: true);
        var at = world.Moment(day);
        var behaviour = isGenerous ? "generous newcomer" : isSale ? "sale day" : Newcomer;
        world.Pay(shopper, at, isGenerous ? world.Amount(shopper.Currency, random.Spread(3, 12)) : world.AmountFor(shopper), behaviour: behaviour);
        // who likes the shop comes back, and on a sale day at once
        for (var more = random.Poisson(isSale ? 0.3 : 0.15); more > 0; more--)
            world.Pay(shopper, at.AddHours(random.Spread(0.1, 72)), world.AmountFor(shopper, isGenerous ? random.Spread(0.5, 2) : 1), behaviour: behaviour);
    }

    private static void AddFamilies(World world)
    {
        var random = world.Random;
        for (var i = 0; i < world.Variant.Families; i++)
        {
            string address = world.NewId("a"), card = world.NewId("c");
            var tablet = random.Chance(world.Variant.SharedFamilyDevice) ? world.NewId("d") : null;
            for (var members = random.Next(2, 6); members > 0; members--)
                world.AddShopper("family", address: address, card: random.Chance(0.8) ? card : null, device: random.Chance(0.6) ? tablet : null, isNew: random.Chance(0.15));
        }
    }

    private static void AddDormitories(World world)
    {
        var random = world.Random;
        for (var i = 0; i < world.Variant.Dormitories; i++)
        {
            var address = world.NewId("a");
            for (var students = random.Next(15, 120); students > 0; students--)
                world.AddShopper("dormitory", address: address, amount: 0.7);
            // a term begins
            var term = random.NextDouble() * world.Variant.Days;
            for (var fresh = random.Next(3, 20); fresh > 0; fresh--)
            {
                var student = world.AddShopper("dormitory", isNew: true, address: address, amount: 0.7);
                world.Pay(student, world.Moment(term + random.NextDouble() * 5), world.AmountFor(student));
            }
        }
    }

    private static void AddOffices(World world)
    {
        var random = world.Random;
        for (var i = 0; i < world.Variant.Offices; i++)
        {
            string address = world.NewId("a"), card = world.NewId("c"), second = world.NewId("c");
            var frontDesk = random.Chance(0.4) ? world.NewId("d") : null;
            var rate = random.Spread(0.2, 2) / world.Variant.OrdersADay;
            for (var people = random.Next(1, 7); people > 0; people--)
                world.AddShopper("office", address: address, card: random.Chance(0.8) ? card : second, device: frontDesk, orders: rate, amount: random.Spread(1, 4));
        }
    }

    private static Shopper SomebodyKnown(World world)
    {
        Shopper shopper;
        do
            shopper = world.Random.Pick(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(world.Shoppers));
        while (shopper.Behaviour is not (Normal or "family"));
        return shopper;
    }

    private static void BuyGifts(World world)
    {
        var random = world.Random;
        var shopper = random.Chance(0.9) ? SomebodyKnown(world) : world.AddShopper(Newcomer, isNew: true);
        var (at, hours, factor) = (world.AnyMoment(), random.Spread(0.5, 120), random.Spread(0.7, 2.5));
        for (var gifts = random.Next(3, 12); gifts > 0; gifts--)
        {
            world.Pay(shopper, at.AddHours(random.NextDouble() * hours), world.AmountFor(shopper, factor), address: world.NewId("a"),
                country: random.Chance(0.1) ? world.AnotherCountry(shopper.Country) : null, behaviour: "gift buyer");
        }
    }

    private static void Travel(World world)
    {
        var random = world.Random;
        var (shopper, at, days) = (SomebodyKnown(world), world.AnyMoment(), random.Between(2, 14));
        var (country, hotel) = (world.AnotherCountry(shopper.Country), world.NewId("a"));
        var device = random.Chance(0.07) ? world.NewId("d") : null;
        for (var orders = random.Next(1, 5); orders > 0; orders--)
        {
            world.Pay(shopper, at.AddDays(random.NextDouble() * days), world.AmountFor(shopper), device: device, address: random.Chance(0.8) ? hotel : null,
                country: country, decline: 0.1, behaviour: "traveller");
        }
    }

    /// <summary>The bank says no twice: a limit, a typing error; then yes, or another card, or nothing.</summary>
    private static void BeRefused(World world)
    {
        var random = world.Random;
        var shopper = random.Chance(0.8) ? SomebodyKnown(world) : world.AddShopper(Newcomer, isNew: true);
        var (at, amount, other) = (world.AnyMoment(), world.AmountFor(shopper), shopper.SecondCard ?? world.NewId("c"));
        var pause = random.Spread(0.3, 20);
        world.Pay(shopper, at, amount, card: shopper.Card, decline: 1, behaviour: "bank says no");
        world.Pay(shopper, at.AddMinutes(pause), amount, card: random.Chance(0.7) ? shopper.Card : other, decline: 1, behaviour: "bank says no");
        if (random.Chance(0.8))
            world.Pay(shopper, at.AddMinutes(pause * 2), amount, card: random.Chance(0.5) ? shopper.Card : random.Chance(0.8) ? other : world.NewId("c"), decline: 0.1, behaviour: "bank says no");
    }
}
