using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Shop.Messaging.ChangeCapture;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;
using Shop.Testing;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
[assembly: AssemblyFixture(typeof(BrokerFixture))]
// most of these tests wait for timeouts and outages, not for the processor
[assembly: Xunit.v3.Parallelization(MaxThreads = 6)]

namespace Shop.Messaging.Tests.Hosting;

public sealed class TestDb(DbContextOptions<TestDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<Ticket> Tickets => Set<Ticket>();
    public DbSet<Journal> Journals => Set<Journal>();
    public DbSet<Counter> Counters => Set<Counter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddChangeCapture();
        modelBuilder.Entity<Ticket>(ticket =>
        {
            ticket.ToTable("tickets").HasKey(t => t.CorrelationId);
            ticket.Property(t => t.CorrelationId).ValueGeneratedNever();
            ticket.Property(t => t.Version).IsConcurrencyToken();
            ticket.HasIndex(t => t.CurrentState, "tickets_by_state");
        });
        modelBuilder.Entity<Journal>(journal => journal.ToTable("journals").Property(j => j.Id).ValueGeneratedNever());
        modelBuilder.Entity<Counter>(counter =>
        {
            counter.SaveInSets().ToTable("counters").Property(c => c.Id).ValueGeneratedNever();
            counter.Property(c => c.Version).IsConcurrencyToken();
        });
    }
}

[DbContext(typeof(TestDb)), Migration("1_TestDb")]
public sealed class CreateTestDb : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateModel<TestDb>();
        migrationBuilder.Sql("""
            -- an offset row only ever moves forward: a zombie that got past the fence shows up here
            CREATE TABLE offset_regressions (endpoint text, topic text, partition integer, was bigint, became bigint);
            CREATE FUNCTION note_regression() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN
                INSERT INTO offset_regressions VALUES (OLD.endpoint, OLD.topic, OLD.partition, OLD.next_offset, NEW.next_offset);
                RETURN NEW;
              END $$;
            CREATE TRIGGER offsets_move_forward AFTER UPDATE ON consumer_offsets
              FOR EACH ROW WHEN (NEW.next_offset <= OLD.next_offset) EXECUTE FUNCTION note_regression();
            """);
    }
}
