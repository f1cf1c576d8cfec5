using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Orders.Migrations;

/// <summary>A payment's token is kept until the payment is decided, and never in a history.</summary>
public partial class ErasePaymentTokens : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        ALTER TABLE orders ALTER COLUMN payment_token DROP NOT NULL;
        UPDATE orders SET payment_token = NULL WHERE current_state IN ('Confirmed', 'Fulfilled', 'Cancelled');
        UPDATE order_events SET data = (data::jsonb - 'paymentToken')::json WHERE type LIKE 'shop.orders.payment-requested.%';
        UPDATE order_events_waiting SET data = (data::jsonb - 'paymentToken')::json WHERE type LIKE 'shop.orders.payment-requested.%';
        """);
}
