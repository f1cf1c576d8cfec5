using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Shop.Messaging.Events;

namespace Shop.Messaging.Schema;

/// <summary>
/// The tables that Messaging keeps in each service's database. They are written and read set-based, by SQL: EF Core's model has them so that
/// a change to one of them is a migration of every service.
/// </summary>
internal static class MessagingTables
{
    private sealed record OutboxTable(long Id, short Shard, string Topic, string Key, Guid EventId, string EventType, DateTimeOffset OccurredAt,
        Guid? CausationId, string? TraceParent, Guid? SchedulingToken, byte[] Body);

    private sealed record TimeoutsTable(Guid Token, DateTimeOffset DueAt, short Shard, string Topic, string Key, Guid EventId, string EventType,
        Guid? CausationId, string? TraceParent, byte[] Body);

    private sealed record RefusedEventsTable(long OutboxId, string Topic, string Key, byte[] KeyDigest, string Error, DateTimeOffset RefusedAt);

    private sealed record HeldMessagesTable(long Id, long RefusedId, short Shard, string Topic, string Key, Guid EventId, string EventType, DateTimeOffset OccurredAt,
        Guid? CausationId, string? TraceParent, Guid? SchedulingToken, byte[] Body);

    private sealed record InboxTable(Guid EventId, string Endpoint, DateTimeOffset ReceivedAt);

    private sealed record ConsumerOffsetsTable(string Endpoint, string Topic, int Partition, long NextOffset, byte[]? LastRecord);

    private sealed record DeadLettersTable(Guid Id, string Endpoint, string Topic, int Partition, long RecordOffset, string Key, byte[] KeyDigest, Guid? EventId,
        string? EventType, string Headers, byte[]? Body, string ErrorType, string ErrorMessage, string StackTrace, DateTimeOffset FailedAt, string Status, bool Discarded);

    private sealed record ParkedRecordsTable(long Id, string Endpoint, string Topic, int Partition, long RecordOffset, string Key, byte[] KeyDigest, string Headers,
        byte[]? Body, DateTimeOffset ParkedAt);

    private sealed record RedrivesTable(Guid Id, string? Topic, string? EventType, string? ErrorType, Guid? NextLetter, Guid? LastLetter, long Total, long Redriven,
        long Failed, DateTimeOffset StartedAt, DateTimeOffset? EndedAt);

    /// <summary>Adds them to a service's model.</summary>
    public static void AddMessagingTables(this ModelBuilder model)
    {
        model.Entity<OutboxTable>(Outbox);
        model.Entity<TimeoutsTable>(timeouts =>
        {
            timeouts.ToTable("timeouts").HasKey(t => t.Token);
            timeouts.HasIndex(t => t.DueAt, "timeouts_by_due_at");
        });
        model.Entity<RefusedEventsTable>(refused =>
        {
            refused.ToTable("refused_events").HasKey(r => r.OutboxId);
            refused.Property(r => r.OutboxId).ValueGeneratedNever();
            IsKeyDigest(refused.Property(r => r.KeyDigest));
            refused.HasIndex(r => new { r.Topic, r.KeyDigest }, "refused_events_by_key");
        });
        model.Entity<HeldMessagesTable>(held =>
        {
            held.ToTable("held_messages").HasKey(h => h.Id);
            held.Property(h => h.Id).ValueGeneratedNever();
            // what waits behind a refusal cannot be forgotten with it
            held.HasOne<RefusedEventsTable>().WithMany().HasForeignKey(h => h.RefusedId).OnDelete(DeleteBehavior.NoAction);
            held.HasIndex(h => new { h.RefusedId, h.Id }, "held_messages_by_refusal");
        });
        model.Entity<InboxTable>(Inbox);
        model.Entity<ConsumerOffsetsTable>(offsets =>
            offsets.ToTable("consumer_offsets").HasStorageParameter("fillfactor", 50).HasKey(o => new { o.Endpoint, o.Topic, o.Partition }));
        model.Entity<DeadLettersTable>(DeadLetters);
        model.Entity<ParkedRecordsTable>(parked =>
        {
            parked.ToTable("parked_records").HasKey(p => p.Id);
            parked.Property(p => p.Id).UseIdentityAlwaysColumn();
            parked.Property(p => p.Headers).HasColumnType("jsonb");
            IsKeyDigest(parked.Property(p => p.KeyDigest));
            parked.HasIndex(p => new { p.Endpoint, p.KeyDigest, p.Id }, "parked_records_by_key");
        });
        model.Entity<RedrivesTable>().ToTable("redrives").HasKey(r => r.Id);
    }

    private static void Outbox(EntityTypeBuilder<OutboxTable> outbox)
    {
        // rows are never updated, and all of them deleted: vacuumed by their number, since a share of an empty table is nothing
        outbox.ToTable("outbox").HasStorageParameter("fillfactor", 100)
            .HasStorageParameter("autovacuum_vacuum_scale_factor", 0).HasStorageParameter("autovacuum_vacuum_threshold", 20_000)
            .HasKey(o => o.Id);
        outbox.Property(o => o.Id).UseIdentityAlwaysColumn();
    }

    private static void Inbox(EntityTypeBuilder<InboxTable> inbox)
    {
        inbox.ToTable("inbox").HasKey(i => new { i.EventId, i.Endpoint });
        inbox.Property(i => i.ReceivedAt).HasDefaultValueSql("now()");
        // rows lie in the order of their arrival, so a few pages of summary find what is old
        inbox.HasIndex(i => i.ReceivedAt, "inbox_by_received_at").HasMethod("brin")
            .HasStorageParameter("pages_per_range", 32).HasStorageParameter("autosummarize", "on");
    }

    private static void DeadLetters(EntityTypeBuilder<DeadLettersTable> deadLetters)
    {
        deadLetters.ToTable("dead_letters", table =>
            table.HasCheckConstraint("dead_letters_status_check", "status IN ('parked', 'redriving', 'redriven', 'discarded')")).HasKey(d => d.Id);
        deadLetters.Property(d => d.Headers).HasColumnType("jsonb");
        deadLetters.Property(d => d.Discarded).HasDefaultValue(false);
        IsKeyDigest(deadLetters.Property(d => d.KeyDigest));
        deadLetters.HasIndex(d => new { d.Endpoint, d.KeyDigest }, "dead_letters_parked").IsUnique().HasFilter("status IN ('parked', 'redriving')");
    }

    /// <summary>Generated by the database, so that an instance of the version before, which knows nothing of it, writes it too.</summary>
    private static void IsKeyDigest(PropertyBuilder<byte[]> digest) => digest.HasComputedColumnSql(KeyDigest.Sql, stored: true);
}
