using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Activity.Migrations
{
    /// <inheritdoc />
    public partial class BeginWarehouseFiles : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "warehouse_begun",
                columns: table => new
                {
                    topic = table.Column<string>(type: "text", nullable: false),
                    partition = table.Column<int>(type: "integer", nullable: false),
                    begin_offset = table.Column<long>(type: "bigint", nullable: false),
                    path = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("warehouse_begun_pkey", x => new { x.topic, x.partition, x.begin_offset });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "warehouse_begun");
        }
    }
}
