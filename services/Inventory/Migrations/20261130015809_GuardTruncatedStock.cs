using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class GuardTruncatedStock : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "products_price_amount_check",
                table: "products");

            migrationBuilder.AddCheckConstraint(
                name: "products_price_amount_check",
                table: "products",
                sql: "price_amount > 0 AND price_amount <= 9999999999.99");

            migrationBuilder.Sql("""
                -- TRUNCATE asks no row's trigger: what is held by orders prevents it as it prevents a DELETE, and the ledger follows
                CREATE FUNCTION ledger_follows_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  IF EXISTS (SELECT FROM stock WHERE reserved > 0) THEN
                    RAISE restrict_violation USING MESSAGE = 'orders hold pieces of the stock';
                  END IF;
                  INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at)
                  SELECT sku, -on_hand, 0, -dispatched, 'correction', 'product removed', now() FROM stock WHERE (on_hand, dispatched) <> (0, 0);
                  RETURN NULL;
                END $$;
                CREATE TRIGGER stock_keeps_its_ledger_when_emptied BEFORE TRUNCATE ON stock FOR EACH STATEMENT EXECUTE FUNCTION ledger_follows_truncation();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP FUNCTION ledger_follows_truncation CASCADE");

            migrationBuilder.DropCheckConstraint(
                name: "products_price_amount_check",
                table: "products");

            migrationBuilder.AddCheckConstraint(
                name: "products_price_amount_check",
                table: "products",
                sql: "price_amount > 0");
        }
    }
}
