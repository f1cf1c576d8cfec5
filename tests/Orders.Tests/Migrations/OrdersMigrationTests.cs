using Shop.Testing;

namespace Shop.Orders.Tests.Migrations;

public sealed class OrdersMigrationTests(OrdersFixture shop) : MigrationTests(new OrdersDbFactory(), shop.CreateDatabaseAsync)
{
    /// <summary>Of older orders neither the device nor the shopper's first order is known.</summary>
    protected override string WithoutDerived(string rows) => string.Join('\n', rows.Split('\n').Select(row =>
        row.StartsWith("INSERT INTO public.orders ", StringComparison.Ordinal) ? row.Replace(");", ", NULL, NULL);", StringComparison.Ordinal) : row));
}
