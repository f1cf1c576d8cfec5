using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class LogsAlarmsAndRebuilds : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "trace_id",
                table: "events",
                type: "text",
                nullable: true,
                computedColumnSql: "substring(trace_parent from 4 for 32)",
                stored: true);

            migrationBuilder.CreateTable(
                name: "alarms",
                columns: table => new
                {
                    alarm_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    service = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    raised_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    cleared_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: false),
                    position = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn)
                },
                constraints: table =>
                {
                    table.PrimaryKey("alarms_pkey", x => x.alarm_id);
                });

            migrationBuilder.CreateTable(
                name: "error_rates",
                columns: table => new
                {
                    service = table.Column<string>(type: "text", nullable: false),
                    event_name = table.Column<string>(type: "text", nullable: false),
                    began_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    errors = table.Column<long>(type: "bigint", nullable: false),
                    alarm_id = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("error_rates_pkey", x => new { x.service, x.event_name });
                });

            migrationBuilder.CreateTable(
                name: "log_lines",
                columns: table => new
                {
                    position = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    written_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    service = table.Column<string>(type: "text", nullable: false),
                    instance = table.Column<string>(type: "text", nullable: false),
                    level = table.Column<int>(type: "integer", nullable: false),
                    event_name = table.Column<string>(type: "text", nullable: true),
                    category = table.Column<string>(type: "text", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    fields = table.Column<string>(type: "json", nullable: false),
                    exception = table.Column<string>(type: "text", nullable: true),
                    trace_id = table.Column<string>(type: "text", nullable: true),
                    span_id = table.Column<string>(type: "text", nullable: true),
                    order_id = table.Column<Guid>(type: "uuid", nullable: true),
                    dropped = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("log_lines_pkey", x => x.position);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 100);

            migrationBuilder.CreateTable(
                name: "ordered_skus",
                columns: table => new
                {
                    sku = table.Column<string>(type: "text", nullable: false),
                    order_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("ordered_skus_pkey", x => new { x.sku, x.order_id });
                });

            migrationBuilder.CreateTable(
                name: "rebuild_positions",
                columns: table => new
                {
                    rebuild_id = table.Column<Guid>(type: "uuid", nullable: false),
                    topic = table.Column<string>(type: "text", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    next_offset = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("rebuild_positions_pkey", x => new { x.rebuild_id, x.topic, x.partition });
                });

            migrationBuilder.CreateTable(
                name: "rebuilds",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    from = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    events = table.Column<long>(type: "bigint", nullable: false),
                    of = table.Column<long>(type: "bigint", nullable: false),
                    requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    filling_seconds = table.Column<double>(type: "double precision", nullable: false),
                    differences = table.Column<string>(type: "json", nullable: true),
                    cancel_requested = table.Column<bool>(type: "boolean", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    under_way = table.Column<bool>(type: "boolean", nullable: false, computedColumnSql: "ended_at IS NULL", stored: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("rebuilds_pkey", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "orders_by_shopper",
                table: "orders",
                column: "shopper_id",
                filter: "length(shopper_id) <= 100");

            migrationBuilder.CreateIndex(
                name: "events_by_trace",
                table: "events",
                columns: new[] { "trace_id", "position" },
                filter: "trace_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "alarms_by_position",
                table: "alarms",
                column: "position");

            migrationBuilder.CreateIndex(
                name: "log_lines_by_event",
                table: "log_lines",
                columns: new[] { "event_name", "position" },
                filter: "event_name IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "log_lines_by_order",
                table: "log_lines",
                columns: new[] { "order_id", "position" },
                filter: "order_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "log_lines_by_service",
                table: "log_lines",
                columns: new[] { "service", "position" });

            migrationBuilder.CreateIndex(
                name: "log_lines_by_time",
                table: "log_lines",
                column: "written_at")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "log_lines_by_trace",
                table: "log_lines",
                columns: new[] { "trace_id", "position" },
                filter: "trace_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "rebuilds_under_way",
                table: "rebuilds",
                column: "under_way",
                unique: true,
                filter: "under_way");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "alarms");

            migrationBuilder.DropTable(
                name: "error_rates");

            migrationBuilder.DropTable(
                name: "log_lines");

            migrationBuilder.DropTable(
                name: "ordered_skus");

            migrationBuilder.DropTable(
                name: "rebuild_positions");

            migrationBuilder.DropTable(
                name: "rebuilds");

            migrationBuilder.DropIndex(
                name: "orders_by_shopper",
                table: "orders");

            migrationBuilder.DropIndex(
                name: "events_by_trace",
                table: "events");

            migrationBuilder.DropColumn(
                name: "trace_id",
                table: "events");
        }
    }
}
