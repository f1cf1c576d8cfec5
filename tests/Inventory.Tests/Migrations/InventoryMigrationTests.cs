using System.Text.RegularExpressions;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Migrations;

public sealed class InventoryMigrationTests(ShopFixture shop) : MigrationTests(new InventoryDbFactory(), shop.CreateDatabaseAsync)
{
    // the products' search text; a column that is derived comes last, as DEFAULT
    protected override string WithoutDerived(string rows) =>
        Regex.Replace(rows, "(?<='EUR', )'mug-blue\nmug\n[^\n]*?', ('2026[^']*')", "$1, DEFAULT");
}
