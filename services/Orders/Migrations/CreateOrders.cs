using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging;

namespace Shop.Orders.Migrations;

/// <summary>The tables of Orders.</summary>
[DbContext(typeof(OrdersDb)), Migration("20261122_Orders")]
public sealed class CreateOrders : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateMessagingTables();
        migrationBuilder.Sql("""
            -- an order is updated a few times in its first second: the room in its page keeps that from touching the indexes
            CREATE TABLE orders (
              correlation_id uuid PRIMARY KEY,
              shopper_id text NOT NULL,
              current_state text NOT NULL,
              reason text,
              lines jsonb NOT NULL,
              total_amount numeric(18, 2) NOT NULL CHECK (total_amount >= 0),
              currency text NOT NULL,
              ship_to jsonb NOT NULL,
              payment_token text NOT NULL,
              payment_id uuid NOT NULL,
              submitted_at timestamptz NOT NULL,
              updated_at timestamptz NOT NULL,
              dispatched boolean NOT NULL,
              captured boolean NOT NULL,
              deadline_token uuid,
              version integer NOT NULL
            ) WITH (fillfactor = 60);
            CREATE INDEX orders_by_shopper ON orders (shopper_id, correlation_id DESC);

            CREATE TABLE idempotency_keys (
              shopper_id text NOT NULL,
              key text NOT NULL,
              request_hash bytea NOT NULL,
              order_id uuid NOT NULL,
              created_at timestamptz NOT NULL,
              PRIMARY KEY (shopper_id, key)
            );

            CREATE TABLE products (
              sku text PRIMARY KEY,
              price numeric(12, 2) NOT NULL CHECK (price >= 0),
              currency text NOT NULL
            );
            """);
    }
}
