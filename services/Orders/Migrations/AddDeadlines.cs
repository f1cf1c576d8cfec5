using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Orders.Migrations;

/// <summary>When an order is overdue, and how orders that have not ended are found.</summary>
[DbContext(typeof(OrdersDb)), Migration("20261123_Deadlines")]
public sealed class AddDeadlines : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        ALTER TABLE orders ADD COLUMN deadline_at timestamptz, ADD COLUMN ended_at timestamptz;
        UPDATE orders SET ended_at = updated_at WHERE current_state IN ('Fulfilled', 'Cancelled');
        -- Small at any time. An index on the deadline, or on the state, would be touched by every step of every order; this one is
        -- touched at the submission and at the end, and leaves the steps between to the room in the page.
        CREATE INDEX orders_not_ended ON orders (correlation_id) WHERE ended_at IS NULL;
        """);
}
