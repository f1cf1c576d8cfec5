using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging;

namespace Shop.Payments.Migrations;

/// <summary>Creates the payments.</summary>
[DbContext(typeof(PaymentsDb)), Migration("20261122_Payments")]
public sealed class CreatePayments : Migration
{
    /// <inheritdoc/>
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateMessagingTables();
        migrationBuilder.Sql("""
            CREATE TABLE payments (
              payment_id uuid PRIMARY KEY,
              order_id uuid NOT NULL UNIQUE,
              shopper_id text NOT NULL,
              amount numeric NOT NULL,
              currency text NOT NULL,
              token text,
              state text NOT NULL CHECK (state IN ('authorizing', 'authorized', 'declined', 'capturing', 'captured', 'voiding', 'voided', 'refunding', 'refunded')),
              capture_wanted boolean NOT NULL,
              due_at timestamptz,
              attempts integer NOT NULL,
              last_error text,
              cause_id uuid NOT NULL,
              trace_parent text,
              requested_at timestamptz NOT NULL,
              changed_at timestamptz NOT NULL,
              version integer NOT NULL,
              CHECK ((due_at IS NOT NULL) = (state IN ('authorizing', 'capturing', 'voiding', 'refunding')))
            ) WITH (fillfactor = 70);
            -- small at any time: what has ended is not in it
            CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
            """);
    }
}
