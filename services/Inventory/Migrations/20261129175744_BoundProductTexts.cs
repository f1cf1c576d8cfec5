using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class BoundProductTexts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // not validated: what somebody wrote before stays, and stops no start
            migrationBuilder.Sql("ALTER TABLE products ADD CONSTRAINT products_texts_check CHECK (length(name) <= 1000 AND length(description) <= 50000) NOT VALID");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "products_texts_check",
                table: "products");
        }
    }
}
