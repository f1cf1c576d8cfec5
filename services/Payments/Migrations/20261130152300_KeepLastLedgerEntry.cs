using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Payments.Migrations
{
    /// <inheritdoc />
    public partial class KeepLastLedgerEntry : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_at",
                table: "ledger_position",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "last_kind",
                table: "ledger_position",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "last_payment_id",
                table: "ledger_position",
                type: "uuid",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "last_at",
                table: "ledger_position");

            migrationBuilder.DropColumn(
                name: "last_kind",
                table: "ledger_position");

            migrationBuilder.DropColumn(
                name: "last_payment_id",
                table: "ledger_position");
        }
    }
}
