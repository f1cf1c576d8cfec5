using Microsoft.EntityFrameworkCore;
using Shop.Activity.StoringEvents;
using Shop.Messaging;
using Shop.Messaging.Outbox;

namespace Shop.Activity;

/// <summary>Activity's database: every event of the shop. Rows are written by <see cref="FeedHandler"/>, set-based, and only read through EF Core.</summary>
internal sealed class ActivityDb(DbContextOptions<ActivityDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<StoredEvent> Events => Set<StoredEvent>();

    public DbSet<OrderOwner> Orders => Set<OrderOwner>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<StoredEvent>(stored =>
        {
            stored.HasKey(e => e.Position);
            stored.Property(e => e.Offset).HasColumnName("record_offset");
            stored.Property(e => e.Data).HasColumnType("json");
        });
        modelBuilder.Entity<OrderOwner>().HasKey(order => order.OrderId);
    }
}
