using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class CountWindows : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "open_orders",
                columns: table => new
                {
                    order_id = table.Column<Guid>(type: "uuid", nullable: false),
                    amount = table.Column<decimal>(type: "numeric", nullable: false),
                    currency = table.Column<string>(type: "text", nullable: false),
                    skus = table.Column<string[]>(type: "text[]", nullable: false),
                    quantities = table.Column<int[]>(type: "integer[]", nullable: false),
                    opened_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("open_orders_pkey", x => x.order_id);
                });

            migrationBuilder.CreateTable(
                name: "window_counts",
                columns: table => new
                {
                    minute = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    measure = table.Column<string>(type: "text", nullable: false),
                    dimension = table.Column<string>(type: "text", nullable: false),
                    lane = table.Column<int>(type: "integer", nullable: false),
                    value = table.Column<decimal>(type: "numeric", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("window_counts_pkey", x => new { x.minute, x.measure, x.dimension, x.lane });
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 50);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "open_orders");

            migrationBuilder.DropTable(
                name: "window_counts");
        }
    }
}
