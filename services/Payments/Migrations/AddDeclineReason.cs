using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Payments.Migrations;

/// <summary>The provider's reason is kept, so that a decline can be told again.</summary>
[DbContext(typeof(PaymentsDb)), Migration("20261123_DeclineReason")]
public sealed class AddDeclineReason : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("ALTER TABLE payments ADD COLUMN decline_reason text");
}
