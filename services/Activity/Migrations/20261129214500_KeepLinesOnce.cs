using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class KeepLinesOnce : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>(
                name: "event_id",
                table: "log_lines",
                type: "uuid",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "log_lines_by_id",
                table: "log_lines",
                column: "event_id",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "log_lines_by_id",
                table: "log_lines");

            migrationBuilder.DropColumn(
                name: "event_id",
                table: "log_lines");
        }
    }
}
