using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging;

namespace Shop.Inventory.Migrations;

/// <summary>Inventory's first tables.</summary>
[DbContext(typeof(InventoryDb)), Migration("20261122_Inventory")]
internal sealed class CreateInventory : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateMessagingTables();
        migrationBuilder.Sql("""
            -- skus sort by their bytes: paging must not depend on a locale
            CREATE TABLE products (
              sku text COLLATE "C" PRIMARY KEY CHECK (sku ~ '^[a-z0-9-]{1,64}$'),
              name text NOT NULL,
              description text NOT NULL,
              price_amount numeric(12, 2) NOT NULL CHECK (price_amount > 0),
              price_currency text NOT NULL CHECK (price_currency ~ '^[A-Z]{3}$'),
              search_text text NOT NULL,
              changed_at timestamptz NOT NULL
            );

            -- hot rows: room in the page for the next versions keeps the index out of updates
            CREATE TABLE stock (
              sku text COLLATE "C" PRIMARY KEY REFERENCES products (sku),
              on_hand integer NOT NULL,
              reserved integer NOT NULL,
              dispatched integer NOT NULL,
              CONSTRAINT stock_never_negative CHECK (reserved >= 0 AND on_hand >= reserved AND dispatched >= 0),
              -- pieces only move from on_hand to dispatched, so with this no later step can overflow
              CONSTRAINT stock_received_fits CHECK (on_hand::bigint + dispatched <= 2147483647)
            ) WITH (fillfactor = 50);

            CREATE TABLE reservations (
              order_id uuid PRIMARY KEY,
              status text NOT NULL CHECK (status IN ('reserved', 'rejected', 'released', 'dispatched')),
              lines jsonb NOT NULL,
              decided_at timestamptz NOT NULL,
              ended_at timestamptz
            ) WITH (fillfactor = 80);

            -- on_hand, reserved, dispatched: the level right after the receipt, which is the answer to it and to its repeats
            CREATE TABLE receipts (
              operator_id text NOT NULL,
              idempotency_key text NOT NULL,
              sku text COLLATE "C" NOT NULL REFERENCES stock (sku),
              quantity integer NOT NULL CHECK (quantity > 0),
              on_hand integer NOT NULL,
              reserved integer NOT NULL,
              dispatched integer NOT NULL,
              received_at timestamptz NOT NULL,
              PRIMARY KEY (operator_id, idempotency_key)
            );
            """);
    }
}
