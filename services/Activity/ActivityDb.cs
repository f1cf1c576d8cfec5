using Microsoft.EntityFrameworkCore;
using Shop.Activity.CountingWindows;
using Shop.Activity.IndexingLogs;
using Shop.Activity.ListingAlarms;
using Shop.Activity.RebuildingFeed;
using Shop.Activity.StoringEvents;
using Shop.Activity.Warehouse;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Activity;

/// <summary>Activity's database: every event of the shop. Rows are written by <see cref="FeedHandler"/>, set-based, and only read through EF Core.</summary>
internal sealed class ActivityDb(DbContextOptions<ActivityDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<StoredEvent> Events => Set<StoredEvent>();

    public DbSet<OrderOwner> Orders => Set<OrderOwner>();

    public DbSet<OrderedSku> OrderedSkus => Set<OrderedSku>();

    public DbSet<LogLine> LogLines => Set<LogLine>();

    public DbSet<ErrorRate> ErrorRates => Set<ErrorRate>();

    public DbSet<Alarm> Alarms => Set<Alarm>();

    public DbSet<Rebuild> Rebuilds => Set<Rebuild>();

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
            // W3C Trace Context: 2 digits of version, 32 of the trace
            stored.Property(e => e.TraceId).HasComputedColumnSql("substring(trace_parent from 4 for 32)", stored: true);
            stored.HasIndex(e => new { e.TraceId, e.Position }, "events_by_trace").HasFilter("trace_id IS NOT NULL");
        });
        modelBuilder.Entity<OrderOwner>(order =>
        {
            order.HasKey(o => o.OrderId);
            // an index entry holds some 2,700 bytes, and what is no shopper's id of ours may be longer
            order.HasIndex(o => o.ShopperId, "orders_by_shopper").HasFilter("length(shopper_id) <= 100");
        });
        modelBuilder.Entity<OrderedSku>().ToTable("ordered_skus").HasKey(ordered => new { ordered.Sku, ordered.OrderId });
        AddLogs(modelBuilder);
        modelBuilder.Entity<Rebuild>(rebuild =>
        {
            rebuild.ToTable("rebuilds").HasKey(r => r.Id);
            rebuild.Property(r => r.Id).ValueGeneratedNever();
            rebuild.Property(r => r.Differences).HasColumnType("json");
            // one at a time
            rebuild.Property<bool>("UnderWay").HasComputedColumnSql("ended_at IS NULL", stored: true);
            rebuild.HasIndex(["UnderWay"], "rebuilds_under_way").IsUnique().HasFilter("under_way");
        });
        modelBuilder.Entity<RebuildPosition>().ToTable("rebuild_positions").HasKey(p => new { p.RebuildId, p.Topic, p.Partition });
        modelBuilder.Entity<WindowCount>(counts =>
        {
            // a row is added to again and again, as long as its minute lasts
            counts.ToTable("window_counts").HasStorageParameter("fillfactor", 50).HasKey(c => new { c.Minute, c.Measure, c.Dimension, c.Lane });
            counts.Property(c => c.Value).HasColumnType("numeric");
        });
        modelBuilder.Entity<BegunFile>().ToTable("warehouse_begun").HasKey(f => new { f.Topic, f.Partition, f.BeginOffset });
        modelBuilder.Entity<CountedLogRow>().ToTable("counted_logs").HasKey(l => new { l.Topic, l.Partition });
        modelBuilder.Entity<CountedEventsRow>(counted =>
        {
            counted.ToTable("counted_events").HasKey(e => new { e.Topic, e.Partition, e.Slot, e.Token });
            counted.Property(e => e.CountedAt).HasDefaultValueSql("now()");
            counted.HasIndex(e => e.CountedAt, "counted_events_by_counted_at").HasMethod("brin")
                .HasStorageParameter("pages_per_range", 32).HasStorageParameter("autosummarize", "on");
        });
        modelBuilder.Entity<OpenOrder>(open =>
        {
            open.ToTable("open_orders").HasKey(o => o.OrderId);
            open.Property(o => o.Amount).HasColumnType("numeric");
            open.Property<DateTimeOffset>("OpenedAt").HasDefaultValueSql("now()");
        });
    }

    private static void AddLogs(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<LogLine>(line =>
        {
            line.ToTable("log_lines").HasStorageParameter("fillfactor", 100).HasKey(l => l.Position);
            line.Property(l => l.Position).UseIdentityAlwaysColumn();
            line.Property(l => l.Fields).HasColumnType("json");
            line.HasIndex(l => new { l.Service, l.Position }, "log_lines_by_service");
            line.HasIndex(l => new { l.EventName, l.Position }, "log_lines_by_event").HasFilter("event_name IS NOT NULL");
            line.HasIndex(l => new { l.TraceId, l.Position }, "log_lines_by_trace").HasFilter("trace_id IS NOT NULL");
            line.HasIndex(l => new { l.OrderId, l.Position }, "log_lines_by_order").HasFilter("order_id IS NOT NULL");
            // by which a line that comes again is known: it takes the place of the inbox, and goes when the line goes
            line.HasIndex(l => l.EventId, "log_lines_by_id").IsUnique();
            // lines lie in the order in which they came, nearly that of their writing
            line.HasIndex(l => l.WrittenAt, "log_lines_by_time").HasMethod("brin");
        });
        modelBuilder.Entity<ErrorRate>().ToTable("error_rates").HasKey(rate => new { rate.Service, rate.EventName });
        modelBuilder.Entity<Alarm>(alarm =>
        {
            alarm.ToTable("alarms").HasKey(a => a.AlarmId);
            alarm.Property(a => a.AlarmId).ValueGeneratedNever();
            alarm.Property(a => a.Position).UseIdentityAlwaysColumn();
            alarm.HasIndex(a => a.Position, "alarms_by_position");
        });
    }
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class ActivityDbFactory : DesignTimeDbContextFactory<ActivityDb>;
