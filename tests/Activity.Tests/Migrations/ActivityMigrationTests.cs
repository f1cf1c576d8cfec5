using Shop.Activity.Tests.Hosting;
using Shop.Testing;

namespace Shop.Activity.Tests.Migrations;

public sealed class ActivityMigrationTests(ShopFixture shop) : MigrationTests(new ActivityDbFactory(), shop.CreateDatabaseAsync);
