using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class GuardStockLevels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                -- instances of the version before say nothing, and run on while the first of this one starts: they are known by how they plan
                CREATE FUNCTION books_movements() RETURNS boolean LANGUAGE sql STABLE
                RETURN coalesce(current_setting('inventory.books_movements', true) = 'on', false) OR current_setting('plan_cache_mode') = 'force_custom_plan';

                -- whoever writes a level writes its movement: Inventory's sessions say from their start that they do, and all others are refused
                CREATE FUNCTION levels_move_with_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  RAISE restrict_violation USING
                    MESSAGE = 'levels of the stock and movements of its ledger are only written together, by Inventory',
                    HINT = 'POST /api/ops/stock/{sku}/receipts books what arrived, POST /api/ops/stock/{sku}/corrections what was counted.';
                END $$;
                CREATE TRIGGER stock_begins_at_0 BEFORE INSERT ON stock FOR EACH ROW
                  WHEN ((NEW.on_hand, NEW.reserved, NEW.dispatched) <> (0, 0, 0) AND NOT books_movements())
                  EXECUTE FUNCTION levels_move_with_the_ledger();
                CREATE TRIGGER stock_moves_with_its_ledger BEFORE UPDATE OF on_hand, reserved, dispatched ON stock FOR EACH ROW
                  WHEN ((NEW.on_hand, NEW.reserved, NEW.dispatched) <> (OLD.on_hand, OLD.reserved, OLD.dispatched) AND NOT books_movements())
                  EXECUTE FUNCTION levels_move_with_the_ledger();
                -- other triggers write what follows a product that is renamed or removed
                CREATE TRIGGER stock_movements_move_stock BEFORE INSERT ON stock_movements FOR EACH STATEMENT
                  WHEN (pg_trigger_depth() = 0 AND NOT books_movements())
                  EXECUTE FUNCTION levels_move_with_the_ledger();

                -- a product without stock would be for sale and never be there
                CREATE FUNCTION stock_goes_with_its_product() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  IF TG_OP = 'TRUNCATE' AND NOT EXISTS (SELECT FROM products) THEN
                    RETURN NULL;
                  END IF;
                  RAISE restrict_violation USING
                    MESSAGE = 'a row of the stock is removed and renamed with its product only',
                    HINT = 'DELETE FROM products, or UPDATE products SET sku, has the stock follow; POST /api/ops/stock/{sku}/corrections books that nothing is there.';
                END $$;
                -- what follows a product comes from the trigger of its foreign key
                CREATE TRIGGER stock_is_removed_with_its_product BEFORE DELETE ON stock FOR EACH ROW
                  WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION stock_goes_with_its_product();
                CREATE TRIGGER stock_is_renamed_with_its_product BEFORE UPDATE OF sku ON stock FOR EACH ROW
                  WHEN (NEW.sku <> OLD.sku AND pg_trigger_depth() = 0) EXECUTE FUNCTION stock_goes_with_its_product();
                -- after all tables of the statement are empty
                CREATE TRIGGER stock_is_emptied_with_its_products AFTER TRUNCATE ON stock FOR EACH STATEMENT EXECUTE FUNCTION stock_goes_with_its_product();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                DROP FUNCTION levels_move_with_the_ledger, stock_goes_with_its_product CASCADE;
                DROP FUNCTION books_movements;
                """);
        }
    }
}
