using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class DigestKeysAndHoldBack : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "refused_events_by_key",
                table: "refused_events");

            migrationBuilder.DropIndex(
                name: "parked_records_by_key",
                table: "parked_records");

            migrationBuilder.DropIndex(
                name: "events_by_key",
                table: "events");

            migrationBuilder.DropIndex(
                name: "dead_letters_parked",
                table: "dead_letters");

            migrationBuilder.AddColumn<bool>(
                name: "discarded",
                table: "dead_letters",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<byte[]>(
                name: "key_digest",
                table: "refused_events",
                type: "bytea",
                nullable: false,
                computedColumnSql: "sha256(decode(replace(key, '\\', '\\\\'), 'escape'))",
                stored: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "key_digest",
                table: "parked_records",
                type: "bytea",
                nullable: false,
                computedColumnSql: "sha256(decode(replace(key, '\\', '\\\\'), 'escape'))",
                stored: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "key_digest",
                table: "dead_letters",
                type: "bytea",
                nullable: false,
                computedColumnSql: "sha256(decode(replace(key, '\\', '\\\\'), 'escape'))",
                stored: true);

            migrationBuilder.CreateTable(
                name: "held_messages",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false),
                    refused_id = table.Column<long>(type: "bigint", nullable: false),
                    shard = table.Column<short>(type: "smallint", nullable: false),
                    topic = table.Column<string>(type: "text", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    event_id = table.Column<Guid>(type: "uuid", nullable: false),
                    event_type = table.Column<string>(type: "text", nullable: false),
                    occurred_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    causation_id = table.Column<Guid>(type: "uuid", nullable: true),
                    trace_parent = table.Column<string>(type: "text", nullable: true),
                    scheduling_token = table.Column<Guid>(type: "uuid", nullable: true),
                    body = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("held_messages_pkey", x => x.id);
                    table.ForeignKey(
                        name: "held_messages_refused_id_fkey",
                        column: x => x.refused_id,
                        principalTable: "refused_events",
                        principalColumn: "outbox_id");
                });

            migrationBuilder.CreateTable(
                name: "redrives",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    topic = table.Column<string>(type: "text", nullable: true),
                    event_type = table.Column<string>(type: "text", nullable: true),
                    error_type = table.Column<string>(type: "text", nullable: true),
                    next_letter = table.Column<Guid>(type: "uuid", nullable: true),
                    last_letter = table.Column<Guid>(type: "uuid", nullable: true),
                    total = table.Column<long>(type: "bigint", nullable: false),
                    redriven = table.Column<long>(type: "bigint", nullable: false),
                    failed = table.Column<long>(type: "bigint", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("redrives_pkey", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "refused_events_by_key",
                table: "refused_events",
                columns: new[] { "topic", "key_digest" });

            migrationBuilder.CreateIndex(
                name: "parked_records_by_key",
                table: "parked_records",
                columns: new[] { "endpoint", "key_digest", "id" });

            migrationBuilder.CreateIndex(
                name: "events_by_key",
                table: "events",
                columns: new[] { "key", "at" },
                filter: "length(key) <= 100");

            migrationBuilder.CreateIndex(
                name: "dead_letters_parked",
                table: "dead_letters",
                columns: new[] { "endpoint", "key_digest" },
                unique: true,
                filter: "status IN ('parked', 'redriving')");

            migrationBuilder.CreateIndex(
                name: "held_messages_by_refusal",
                table: "held_messages",
                columns: new[] { "refused_id", "id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "held_messages");

            migrationBuilder.DropTable(
                name: "redrives");

            migrationBuilder.DropIndex(
                name: "refused_events_by_key",
                table: "refused_events");

            migrationBuilder.DropIndex(
                name: "parked_records_by_key",
                table: "parked_records");

            migrationBuilder.DropIndex(
                name: "events_by_key",
                table: "events");

            migrationBuilder.DropIndex(
                name: "dead_letters_parked",
                table: "dead_letters");

            migrationBuilder.DropColumn(
                name: "key_digest",
                table: "refused_events");

            migrationBuilder.DropColumn(
                name: "key_digest",
                table: "parked_records");

            migrationBuilder.DropColumn(
                name: "key_digest",
                table: "dead_letters");

            migrationBuilder.DropColumn(
                name: "discarded",
                table: "dead_letters");

            migrationBuilder.CreateIndex(
                name: "refused_events_by_key",
                table: "refused_events",
                columns: new[] { "topic", "key" });

            migrationBuilder.CreateIndex(
                name: "parked_records_by_key",
                table: "parked_records",
                columns: new[] { "endpoint", "key", "id" });

            migrationBuilder.CreateIndex(
                name: "events_by_key",
                table: "events",
                columns: new[] { "key", "at" });

            migrationBuilder.CreateIndex(
                name: "dead_letters_parked",
                table: "dead_letters",
                columns: new[] { "endpoint", "key" },
                unique: true,
                filter: "status IN ('parked', 'redriving')");
        }
    }
}
