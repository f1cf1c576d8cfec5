using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Payments.Migrations
{
    /// <inheritdoc />
    public partial class ScreenPayments : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "payments_state_check",
                table: "payments");

            migrationBuilder.AddColumn<Guid>(
                name: "address_key",
                table: "payments",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "card_key",
                table: "payments",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "device_key",
                table: "payments",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "rules",
                table: "payments",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<int>(
                name: "rules_version",
                table: "payments",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "score",
                table: "payments",
                type: "double precision",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "reviews",
                columns: table => new
                {
                    payment_id = table.Column<Guid>(type: "uuid", nullable: false),
                    is_approved = table.Column<bool>(type: "boolean", nullable: false),
                    note = table.Column<string>(type: "text", nullable: true),
                    decided_by = table.Column<string>(type: "text", nullable: false),
                    decided_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("reviews_pkey", x => x.payment_id);
                });

            migrationBuilder.CreateTable(
                name: "screening_histories",
                columns: table => new
                {
                    key = table.Column<Guid>(type: "uuid", nullable: false),
                    state = table.Column<byte[]>(type: "bytea", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    last_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("screening_histories_pkey", x => x.key);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 60);

            migrationBuilder.CreateTable(
                name: "screening_rules",
                columns: table => new
                {
                    version = table.Column<int>(type: "integer", nullable: false),
                    rules = table.Column<string>(type: "jsonb", nullable: false),
                    set_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    set_by = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("screening_rules_pkey", x => x.version);
                });

            migrationBuilder.CreateIndex(
                name: "payments_held",
                table: "payments",
                column: "payment_id",
                filter: "state = 'held'");

            migrationBuilder.AddCheckConstraint(
                name: "payments_state_check",
                table: "payments",
                sql: "state IN ('authorizing', 'held', 'authorized', 'declined', 'capturing', 'captured', 'voiding', 'voided', 'refunding', 'refunded')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "reviews");

            migrationBuilder.DropTable(
                name: "screening_histories");

            migrationBuilder.DropTable(
                name: "screening_rules");

            migrationBuilder.DropIndex(
                name: "payments_held",
                table: "payments");

            migrationBuilder.DropCheckConstraint(
                name: "payments_state_check",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "address_key",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "card_key",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "device_key",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "rules",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "rules_version",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "score",
                table: "payments");

            migrationBuilder.AddCheckConstraint(
                name: "payments_state_check",
                table: "payments",
                sql: "state IN ('authorizing', 'authorized', 'declined', 'capturing', 'captured', 'voiding', 'voided', 'refunding', 'refunded')");
        }
    }
}
