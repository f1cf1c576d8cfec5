using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Inventory.Migrations
{
    /// <inheritdoc />
    public partial class CheckProducts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "products_price_amount_check",
                table: "products");

            migrationBuilder.DropCheckConstraint(
                name: "products_price_currency_check",
                table: "products");

            migrationBuilder.DropCheckConstraint(
                name: "products_texts_check",
                table: "products");

            // not validated: what SQL wrote before stays, and stops no start; it has to be right when it is written next
            migrationBuilder.Sql("""
                ALTER TABLE products
                  ADD CONSTRAINT products_name_check CHECK (length(name) <= 100 AND name ~ '[^\u0009-\u000d \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]') NOT VALID,
                  ADD CONSTRAINT products_description_check CHECK (length(description) <= 50000) NOT VALID,
                  ADD CONSTRAINT products_price_amount_check CHECK (price_amount > 0 AND price_amount <= 1000000) NOT VALID,
                  ADD CONSTRAINT products_price_currency_check CHECK (price_currency = 'EUR') NOT VALID
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "products_name_check",
                table: "products");

            migrationBuilder.DropCheckConstraint(
                name: "products_description_check",
                table: "products");

            migrationBuilder.DropCheckConstraint(
                name: "products_price_amount_check",
                table: "products");

            migrationBuilder.DropCheckConstraint(
                name: "products_price_currency_check",
                table: "products");

            migrationBuilder.AddCheckConstraint(
                name: "products_price_amount_check",
                table: "products",
                sql: "price_amount > 0 AND price_amount <= 9999999999.99");

            migrationBuilder.AddCheckConstraint(
                name: "products_price_currency_check",
                table: "products",
                sql: "price_currency ~ '^[A-Z]{3}$'");

            migrationBuilder.Sql("ALTER TABLE products ADD CONSTRAINT products_texts_check CHECK (length(name) <= 1000 AND length(description) <= 50000) NOT VALID");
        }
    }
}
