using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Migrations;

public sealed class InventoryMigrationTests(ShopFixture shop) : MigrationTests(new InventoryDbFactory(), shop.CreateDatabaseAsync);
