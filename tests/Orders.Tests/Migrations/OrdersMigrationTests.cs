using Shop.Testing;

namespace Shop.Orders.Tests.Migrations;

public sealed class OrdersMigrationTests(OrdersFixture shop) : MigrationTests(new OrdersDbFactory(), shop.CreateDatabaseAsync);
