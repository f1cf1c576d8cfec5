using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class CaptureProducts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AlterColumn<DateTimeOffset>(
                name: "changed_at",
                table: "products",
                type: "timestamp with time zone",
                nullable: false,
                defaultValueSql: "now()",
                oldClrType: typeof(DateTimeOffset),
                oldType: "timestamp with time zone");

            migrationBuilder.CreateTable(
                name: "change_captures",
                columns: table => new
                {
                    slot = table.Column<string>(type: "text", nullable: false),
                    snapshot_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    alarm = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("change_captures_pkey", x => x.slot);
                });

            migrationBuilder.Sql("""
                -- a product may be changed by plain SQL from anywhere: what belongs to it follows
                ALTER TABLE stock DROP CONSTRAINT stock_sku_fkey,
                  ADD CONSTRAINT stock_sku_fkey FOREIGN KEY (sku) REFERENCES products (sku) ON UPDATE CASCADE ON DELETE CASCADE;
                ALTER TABLE receipts DROP CONSTRAINT receipts_sku_fkey,
                  ADD CONSTRAINT receipts_sku_fkey FOREIGN KEY (sku) REFERENCES stock (sku) ON UPDATE CASCADE ON DELETE CASCADE;
                ALTER TABLE corrections DROP CONSTRAINT corrections_sku_fkey,
                  ADD CONSTRAINT corrections_sku_fkey FOREIGN KEY (sku) REFERENCES stock (sku) ON UPDATE CASCADE ON DELETE CASCADE;

                CREATE FUNCTION stock_of_new_product() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  INSERT INTO stock (sku, on_hand, reserved, dispatched) SELECT sku, 0, 0, 0 FROM products WHERE sku = NEW.sku ON CONFLICT DO NOTHING;
                  RETURN NULL;
                END $$;
                -- at the commit: whoever makes a product may make its stock as well
                CREATE CONSTRAINT TRIGGER products_have_stock AFTER INSERT OR UPDATE OF sku ON products
                  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stock_of_new_product();

                CREATE FUNCTION ledger_follows_stock() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  IF TG_OP = 'UPDATE' AND NEW.sku = OLD.sku THEN
                    RETURN NEW;
                  END IF;
                  IF OLD.reserved > 0 THEN
                    RAISE restrict_violation USING MESSAGE = format('orders hold %s pieces of %s', OLD.reserved, OLD.sku);
                  END IF;
                  IF (OLD.on_hand, OLD.dispatched) <> (0, 0) THEN
                    INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at)
                    VALUES (OLD.sku, -OLD.on_hand, 0, -OLD.dispatched, 'correction', CASE TG_OP WHEN 'DELETE' THEN 'product removed' ELSE 'product renamed' END, now());
                    IF TG_OP = 'UPDATE' THEN
                      INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at)
                      VALUES (NEW.sku, OLD.on_hand, 0, OLD.dispatched, 'correction', 'product renamed', now());
                    END IF;
                  END IF;
                  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                END $$;
                CREATE TRIGGER stock_keeps_its_ledger BEFORE UPDATE OF sku OR DELETE ON stock FOR EACH ROW EXECUTE FUNCTION ledger_follows_stock();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                DROP FUNCTION stock_of_new_product, ledger_follows_stock CASCADE;
                ALTER TABLE stock DROP CONSTRAINT stock_sku_fkey, ADD CONSTRAINT stock_sku_fkey FOREIGN KEY (sku) REFERENCES products (sku);
                ALTER TABLE receipts DROP CONSTRAINT receipts_sku_fkey, ADD CONSTRAINT receipts_sku_fkey FOREIGN KEY (sku) REFERENCES stock (sku);
                ALTER TABLE corrections DROP CONSTRAINT corrections_sku_fkey, ADD CONSTRAINT corrections_sku_fkey FOREIGN KEY (sku) REFERENCES stock (sku);
                """);

            migrationBuilder.DropTable(
                name: "change_captures");

            migrationBuilder.AlterColumn<DateTimeOffset>(
                name: "changed_at",
                table: "products",
                type: "timestamp with time zone",
                nullable: false,
                oldClrType: typeof(DateTimeOffset),
                oldType: "timestamp with time zone",
                oldDefaultValueSql: "now()");
        }
    }
}
