using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Payments.Migrations
{
    /// <inheritdoc />
    public partial class RefundAlarmsAndReplayAttempts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "attempts",
                table: "rule_replays",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "error",
                table: "rule_replays",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "forgotten",
                table: "rule_replays",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<Guid>(
                name: "refund_alarm_id",
                table: "payments",
                type: "uuid",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "attempts",
                table: "rule_replays");

            migrationBuilder.DropColumn(
                name: "error",
                table: "rule_replays");

            migrationBuilder.DropColumn(
                name: "forgotten",
                table: "rule_replays");

            migrationBuilder.DropColumn(
                name: "refund_alarm_id",
                table: "payments");
        }
    }
}
