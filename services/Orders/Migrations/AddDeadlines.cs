using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Orders.Migrations;

/// <summary>When an order is overdue. Overdue orders are found among those that have not ended, which are few; so it has no index of its own.</summary>
[DbContext(typeof(OrdersDb)), Migration("20261123_OrderDeadlines")]
public sealed class AddDeadlines : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("ALTER TABLE orders ADD COLUMN deadline_at timestamptz");
}
