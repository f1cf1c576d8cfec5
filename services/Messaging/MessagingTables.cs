using Microsoft.EntityFrameworkCore.Migrations;

namespace Shop.Messaging;

/// <summary>The tables that Messaging keeps in each service's database.</summary>
public static class MessagingTables
{
    /// <summary>What came after services had their first migration: run at every start, changes nothing where it is there.</summary>
    internal const string Additions = """
        CREATE TABLE IF NOT EXISTS refused_events (
          outbox_id bigint PRIMARY KEY,
          topic text NOT NULL,
          key text NOT NULL,
          error text NOT NULL,
          refused_at timestamptz NOT NULL
        );
        -- asked first: CREATE INDEX IF NOT EXISTS takes its table's lock against writers even where the index is there, so an instance
        -- that starts would wait for every batch at work, and all later batches of the others for it
        DO $$ BEGIN
          IF to_regclass('refused_events_by_key') IS NULL THEN
            CREATE INDEX refused_events_by_key ON refused_events (topic, key);
          END IF;
          IF to_regclass('inbox_by_received_at') IS NULL THEN
            CREATE INDEX inbox_by_received_at ON inbox USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);
          END IF;
        END $$;
        """;

    /// <summary>Creates them; called by a service's first migration.</summary>
    public static void CreateMessagingTables(this MigrationBuilder migration) => migration.Sql("""
        CREATE TABLE outbox (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          shard smallint NOT NULL,
          topic text NOT NULL,
          key text NOT NULL,
          event_id uuid NOT NULL,
          event_type text NOT NULL,
          occurred_at timestamptz NOT NULL,
          causation_id uuid,
          trace_parent text,
          scheduling_token uuid,
          body bytea NOT NULL
        ) WITH (fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

        CREATE TABLE timeouts (
          token uuid PRIMARY KEY,
          due_at timestamptz NOT NULL,
          shard smallint NOT NULL,
          topic text NOT NULL,
          key text NOT NULL,
          event_id uuid NOT NULL,
          event_type text NOT NULL,
          causation_id uuid,
          trace_parent text,
          body bytea NOT NULL
        );
        CREATE INDEX timeouts_by_due_at ON timeouts (due_at);

        CREATE TABLE inbox (
          event_id uuid NOT NULL,
          endpoint text NOT NULL,
          received_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (event_id, endpoint)
        );

        CREATE TABLE consumer_offsets (
          endpoint text NOT NULL,
          topic text NOT NULL,
          partition integer NOT NULL,
          next_offset bigint NOT NULL,
          PRIMARY KEY (endpoint, topic, partition)
        ) WITH (fillfactor = 50);

        CREATE TABLE dead_letters (
          id uuid PRIMARY KEY,
          endpoint text NOT NULL,
          topic text NOT NULL,
          partition integer NOT NULL,
          record_offset bigint NOT NULL,
          key text NOT NULL,
          event_id uuid,
          event_type text,
          headers jsonb NOT NULL,
          body bytea,
          error_type text NOT NULL,
          error_message text NOT NULL,
          stack_trace text NOT NULL,
          failed_at timestamptz NOT NULL,
          status text NOT NULL CHECK (status IN ('parked', 'redriving', 'redriven', 'discarded'))
        );
        CREATE UNIQUE INDEX dead_letters_parked ON dead_letters (endpoint, key) WHERE status IN ('parked', 'redriving');

        CREATE TABLE parked_records (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          endpoint text NOT NULL,
          topic text NOT NULL,
          partition integer NOT NULL,
          record_offset bigint NOT NULL,
          key text NOT NULL,
          headers jsonb NOT NULL,
          body bytea,
          parked_at timestamptz NOT NULL
        );
        CREATE INDEX parked_records_by_key ON parked_records (endpoint, key, id);
        """);
}
