using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging;

namespace Shop.Activity.Migrations;

/// <summary>Activity's first tables.</summary>
[DbContext(typeof(ActivityDb)), Migration("20261122_Activity")]
internal sealed class CreateActivity : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateMessagingTables();
        migrationBuilder.Sql("""
            -- data is json, not jsonb: it keeps what was sent to the letter, \u0000 and numbers beyond numeric included
            CREATE TABLE events (
              position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
              event_id uuid NOT NULL,
              type text NOT NULL,
              topic text NOT NULL,
              partition integer NOT NULL,
              record_offset bigint NOT NULL,
              key text NOT NULL,
              source text NOT NULL,
              subject text NOT NULL,
              at timestamptz NOT NULL,
              causation_id uuid,
              trace_parent text,
              data json,
              malformed boolean NOT NULL
            ) WITH (fillfactor = 100);
            CREATE INDEX events_by_key ON events (key, at);

            CREATE TABLE orders (
              order_id uuid PRIMARY KEY,
              shopper_id text NOT NULL
            );
            """);
    }
}
