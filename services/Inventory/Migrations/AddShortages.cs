using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Inventory.Migrations;

/// <summary>What was missing is kept, so that a rejection can be told again.</summary>
[DbContext(typeof(InventoryDb)), Migration("20261123_Shortages")]
internal sealed class AddShortages : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        ALTER TABLE reservations ADD COLUMN shortages jsonb NOT NULL DEFAULT '[]';
        ALTER TABLE reservations ALTER COLUMN shortages DROP DEFAULT;
        """);
}
