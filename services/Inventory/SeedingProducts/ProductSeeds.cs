namespace Shop.Inventory.SeedingProducts;

/// <summary>A product of the first catalogue; the price is in EUR.</summary>
internal sealed record ProductSeed(string Sku, string Name, decimal Price, int OnHand, string Description);

/// <summary>The first catalogue.</summary>
internal static class ProductSeeds
{
    public static readonly IReadOnlyList<ProductSeed> All =
    [
        new("mug-blue", "Blue mug", 9.90m, 500, "Stoneware in a deep harbour blue, 350 ml. Goes in the dishwasher, survives Mondays."),
        new("mug-red", "Red mug", 9.90m, 300, "The same stoneware in a warm brick red, 350 ml, for the other half of the team."),
        new("mug-travel", "Travel mug", 24.50m, 150, "Double-walled steel with a lid that does not leak, 400 ml. Hot for five hours."),
        new("shirt-black", "Black T-shirt", 19.00m, 400, "Heavy organic cotton with a small print on the chest: exactly once."),
        new("shirt-white", "White T-shirt", 19.00m, 400, "Heavy organic cotton with a small print on the chest: at least once."),
        new("shirt-striped", "Striped shirt", 34.00m, 120, "A breton in navy and cream, cut straight and washed soft."),
        new("hoodie-grey", "Grey hoodie", 49.00m, 150, "Brushed fleece with a kangaroo pocket that holds a phone and a paperback."),
        new("hoodie-navy", "Navy hoodie", 49.00m, 150, "The grey one's evening wear: same fleece, metal tips on the cords."),
        new("cap-green", "Green cap", 16.50m, 200, "Six panels of washed twill with a brass buckle, one size."),
        new("socks-wool", "Wool socks", 12.00m, 600, "Merino with a padded heel, sold as a pair, which is a transaction."),
        new("notebook-plain", "Plain notebook", 7.50m, 800, "A5, 120 blank pages of 100 g paper that opens flat."),
        new("notebook-dotted", "Dotted notebook", 7.50m, 800, "A5, 120 pages with a 5 mm dot grid, numbered, append-only."),
        new("pen-fountain", "Fountain pen", 28.00m, 90, "A steel nib in a brass barrel; takes standard cartridges or a converter."),
        new("pen-gel", "Gel pens, set of five", 6.40m, 1000, "Five colours, 0.5 mm, dry in a second."),
        new("poster-lighthouse", "Lighthouse poster", 22.00m, 80, "Screen print of a lighthouse in a storm, 50 x 70 cm, signed and numbered."),
        new("poster-metro", "Metro map poster", 18.00m, 140, "The network of a city that does not exist, 50 x 70 cm."),
        new("bottle-steel", "Steel bottle", 21.00m, 250, "Single-walled, 750 ml, light enough to forget that it is there."),
        new("tote-canvas", "Canvas tote", 11.00m, 350, "Long handles and a flat base: carries twelve books or one cat."),
        new("sticker-pack", "Sticker pack", 4.90m, 1000, "Twelve vinyl stickers that outlive the laptop."),
        new("lamp-desk", "Desk lamp", 59.00m, 20, "A folding arm, warm light, dimmed by touch. Made in small numbers."),
    ];
}
