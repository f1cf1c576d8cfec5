using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Payments.Migrations
{
    /// <inheritdoc />
    public partial class RefusedCaptures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "payments_state_check",
                table: "payments");

            migrationBuilder.AddColumn<Guid>(
                name: "capture_alarm_id",
                table: "payments",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "payments_state_check",
                table: "payments",
                sql: "state IN ('authorizing', 'held', 'authorized', 'declined', 'capturing', 'uncapturable', 'captured', 'voiding', 'voided', 'refunding', 'refunded')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "payments_state_check",
                table: "payments");

            migrationBuilder.DropColumn(
                name: "capture_alarm_id",
                table: "payments");

            migrationBuilder.AddCheckConstraint(
                name: "payments_state_check",
                table: "payments",
                sql: "state IN ('authorizing', 'held', 'authorized', 'declined', 'capturing', 'captured', 'voiding', 'voided', 'refunding', 'refunded')");
        }
    }
}
