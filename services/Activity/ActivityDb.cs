using Microsoft.EntityFrameworkCore;
using Shop.Activity.CountingWindows;
using Shop.Activity.StoringEvents;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Activity;

/// <summary>Activity's database: every event of the shop. Rows are written by <see cref="FeedHandler"/>, set-based, and only read through EF Core.</summary>
internal sealed class ActivityDb(DbContextOptions<ActivityDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<StoredEvent> Events => Set<StoredEvent>();

    public DbSet<OrderOwner> Orders => Set<OrderOwner>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<StoredEvent>(stored =>
        {
            stored.ToTable("events").HasStorageParameter("fillfactor", 100).HasKey(e => e.Position);
            stored.Property(e => e.Position).UseIdentityAlwaysColumn();
            stored.Property(e => e.Offset).HasColumnName("record_offset");
            // json, not jsonb: it keeps what was sent to the letter, \u0000 and numbers beyond numeric included
            stored.Property(e => e.Data).HasColumnType("json");
            // an index entry holds some 2,700 bytes, and a key may be as long as a record: what is looked for by its key is an order, whose key is an id
            stored.HasIndex(e => new { e.Key, e.At }, "events_by_key").HasFilter($"length(key) <= {StoredEvent.LongestSearchedKey}");
        });
        modelBuilder.Entity<OrderOwner>().HasKey(order => order.OrderId);
        modelBuilder.Entity<WindowCount>(counts =>
        {
            // a row is added to again and again, as long as its minute lasts
            counts.ToTable("window_counts").HasStorageParameter("fillfactor", 50).HasKey(c => new { c.Minute, c.Measure, c.Dimension, c.Lane });
            counts.Property(c => c.Value).HasColumnType("numeric");
        });
        modelBuilder.Entity<OpenOrder>(open =>
        {
            open.ToTable("open_orders").HasKey(o => o.OrderId);
            open.Property(o => o.Amount).HasColumnType("numeric");
            open.Property<DateTimeOffset>("OpenedAt").HasDefaultValueSql("now()");
        });
    }
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class ActivityDbFactory : DesignTimeDbContextFactory<ActivityDb>;
