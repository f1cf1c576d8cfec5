using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Payments.Migrations
{
    /// <inheritdoc />
    public partial class TryRules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "shadow_decision_counts",
                columns: table => new
                {
                    version = table.Column<int>(type: "integer", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    live = table.Column<string>(type: "text", nullable: false),
                    shadow = table.Column<string>(type: "text", nullable: false),
                    payments = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("shadow_decision_counts_pkey", x => new { x.version, x.partition, x.live, x.shadow });
                });

            migrationBuilder.CreateTable(
                name: "shadow_examples",
                columns: table => new
                {
                    version = table.Column<int>(type: "integer", nullable: false),
                    payment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    decision = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("shadow_examples_pkey", x => new { x.version, x.payment_id });
                });

            migrationBuilder.CreateTable(
                name: "shadow_rule_counts",
                columns: table => new
                {
                    version = table.Column<int>(type: "integer", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    rule = table.Column<string>(type: "text", nullable: false),
                    live = table.Column<long>(type: "bigint", nullable: false),
                    shadow = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("shadow_rule_counts_pkey", x => new { x.version, x.partition, x.rule });
                });

            migrationBuilder.CreateTable(
                name: "shadow_rules",
                columns: table => new
                {
                    version = table.Column<int>(type: "integer", nullable: false),
                    rules = table.Column<string>(type: "jsonb", nullable: false),
                    set_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    set_by = table.Column<string>(type: "text", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("shadow_rules_pkey", x => x.version);
                });

            migrationBuilder.CreateIndex(
                name: "shadow_examples_kind",
                table: "shadow_examples",
                columns: new[] { "version", "kind" });

            migrationBuilder.CreateIndex(
                name: "shadow_rules_current",
                table: "shadow_rules",
                column: "version",
                filter: "ended_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "shadow_decision_counts");

            migrationBuilder.DropTable(
                name: "shadow_examples");

            migrationBuilder.DropTable(
                name: "shadow_rule_counts");

            migrationBuilder.DropTable(
                name: "shadow_rules");
        }
    }
}
