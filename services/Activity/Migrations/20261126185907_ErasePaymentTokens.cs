using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Activity.Migrations;

/// <summary>What is not to be kept of an event leaves the events that were stored with it.</summary>
public partial class ErasePaymentTokens : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("""
        -- anybody may publish under the type: what is no object, or nothing that jsonb takes, was not the shop's and stays
        UPDATE events SET data = (data::jsonb - 'paymentToken')::json
        WHERE type LIKE 'shop.orders.payment-requested.%' AND NOT malformed AND json_typeof(data) = 'object' AND data::text NOT LIKE '%\\u0000%';
        """);
}
