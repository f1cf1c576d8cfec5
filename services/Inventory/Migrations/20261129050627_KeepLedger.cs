using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class KeepLedger : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "corrections",
                columns: table => new
                {
                    operator_id = table.Column<string>(type: "text", nullable: false),
                    idempotency_key = table.Column<string>(type: "text", nullable: false),
                    sku = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    reason = table.Column<string>(type: "text", nullable: false),
                    on_hand = table.Column<int>(type: "integer", nullable: false),
                    reserved = table.Column<int>(type: "integer", nullable: false),
                    dispatched = table.Column<int>(type: "integer", nullable: false),
                    corrected_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("corrections_pkey", x => new { x.operator_id, x.idempotency_key });
                    table.ForeignKey(
                        name: "corrections_sku_fkey",
                        column: x => x.sku,
                        principalTable: "stock",
                        principalColumn: "sku");
                });

            migrationBuilder.CreateTable(
                name: "stock_movements",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    sku = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    on_hand = table.Column<int>(type: "integer", nullable: false),
                    reserved = table.Column<int>(type: "integer", nullable: false),
                    dispatched = table.Column<int>(type: "integer", nullable: false),
                    cause = table.Column<string>(type: "text", nullable: false),
                    reference = table.Column<string>(type: "text", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    moved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("stock_movements_pkey", x => new { x.sku, x.id });
                    table.CheckConstraint("stock_movements_cause_check", "cause IN ('receipt', 'correction', 'order', 'expiry')");
                });

            migrationBuilder.CreateIndex(
                name: "reservations_held",
                table: "reservations",
                column: "decided_at",
                filter: "status = 'reserved'");

            migrationBuilder.Sql("""
                CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  RAISE EXCEPTION 'the ledger is only ever added to: a movement is undone by another one';
                END $$;
                CREATE TRIGGER stock_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
                  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

                -- what was there before there was a ledger, so that the sums are the levels from the start
                LOCK TABLE stock IN SHARE ROW EXCLUSIVE MODE;
                INSERT INTO stock_movements (sku, on_hand, reserved, dispatched, cause, reason, moved_at)
                SELECT sku, on_hand, reserved, dispatched, 'correction', 'opening balance', now() FROM stock
                WHERE (on_hand, reserved, dispatched) <> (0, 0, 0) ORDER BY sku;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "corrections");

            migrationBuilder.DropTable(
                name: "stock_movements");

            migrationBuilder.DropIndex(
                name: "reservations_held",
                table: "reservations");

            migrationBuilder.Sql("DROP FUNCTION ledger_is_append_only");
        }
    }
}
