using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class WatchSensors : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "sensors",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    kind = table.Column<string>(type: "text", nullable: false),
                    sku = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    unit_grams = table.Column<double>(type: "double precision", nullable: true),
                    tare_grams = table.Column<double>(type: "double precision", nullable: true),
                    min_celsius = table.Column<double>(type: "double precision", nullable: true),
                    max_celsius = table.Column<double>(type: "double precision", nullable: true),
                    key_digest = table.Column<byte[]>(type: "bytea", nullable: false),
                    registered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("sensors_pkey", x => x.name);
                    table.CheckConstraint("sensors_kind_check", "kind = 'weight' AND sku IS NOT NULL AND unit_grams > 0 AND tare_grams IS NOT NULL\nOR kind = 'temperature' AND sku IS NULL AND min_celsius < max_celsius");
                });

            migrationBuilder.CreateTable(
                name: "sensor_states",
                columns: table => new
                {
                    sensor = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    read_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    reported_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    value = table.Column<double>(type: "double precision", nullable: true),
                    heard_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    strikes = table.Column<short>(type: "smallint", nullable: false),
                    alarm = table.Column<Guid>(type: "uuid", nullable: true),
                    silence_alarm = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("sensor_states_pkey", x => x.sensor);
                    table.ForeignKey(
                        name: "sensor_states_sensor_fkey",
                        column: x => x.sensor,
                        principalTable: "sensors",
                        principalColumn: "name",
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 50);

            migrationBuilder.CreateIndex(
                name: "sensors_by_sku",
                table: "sensors",
                column: "sku",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "sensor_states");

            migrationBuilder.DropTable(
                name: "sensors");
        }
    }
}
