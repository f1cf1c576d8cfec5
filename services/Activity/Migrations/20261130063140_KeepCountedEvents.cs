using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class KeepCountedEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "counted_events",
                columns: table => new
                {
                    topic = table.Column<string>(type: "text", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    slot = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    token = table.Column<Guid>(type: "uuid", nullable: false),
                    ids = table.Column<byte[]>(type: "bytea", nullable: false),
                    counted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("counted_events_pkey", x => new { x.topic, x.partition, x.slot, x.token });
                });

            migrationBuilder.CreateTable(
                name: "counted_logs",
                columns: table => new
                {
                    topic = table.Column<string>(type: "text", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    token = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("counted_logs_pkey", x => new { x.topic, x.partition });
                });

            // ids are as good as random: compressing them is in vain
            migrationBuilder.Sql("ALTER TABLE counted_events ALTER COLUMN ids SET STORAGE EXTERNAL");

            migrationBuilder.CreateIndex(
                name: "counted_events_by_counted_at",
                table: "counted_events",
                column: "counted_at")
                .Annotation("Npgsql:IndexMethod", "brin")
                .Annotation("Npgsql:StorageParameter:autosummarize", "on")
                .Annotation("Npgsql:StorageParameter:pages_per_range", 32);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "counted_events");

            migrationBuilder.DropTable(
                name: "counted_logs");
        }
    }
}
