using System.Text.RegularExpressions;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Migrations;

public sealed class InventoryMigrationTests(ShopFixture shop) : MigrationTests(new InventoryDbFactory(), shop.CreateDatabaseAsync)
{
    // the products' search text; a column that is derived comes last, as DEFAULT
    protected override string WithoutDerived(string rows) =>
        Regex.Replace(rows, "(?<='EUR', )'mug-blue\nmug\n[^\n]*?', ('2026[^']*')", "$1, DEFAULT");

    // the ledger's opening balance, from which its sums are the levels
    protected override string WithoutAdded(string rows)
    {
        Assert.Matches(@"INSERT INTO public\.stock_movements [^\n]*'mug-blue', 10, 3, 2, 'correction', NULL, 'opening balance', ", rows);
        return Regex.Replace(rows, @"\n(INSERT INTO public\.stock_movements |SELECT pg_catalog\.setval\('public\.stock_movements_id_seq')[^\n]*;", "");
    }
}
