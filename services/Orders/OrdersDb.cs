using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Shop.Messaging;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;
using Shop.Orders.CopyingCatalog;
using Shop.Orders.RecordingHistory;
using Shop.Orders.SubmittingOrder;

namespace Shop.Orders;

/// <summary>The database of Orders.</summary>
public sealed class OrdersDb(DbContextOptions<OrdersDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    /// <summary>The orders.</summary>
    public DbSet<Order> Orders => Set<Order>();

    /// <summary>The submissions that were accepted.</summary>
    public DbSet<IdempotencyKey> IdempotencyKeys => Set<IdempotencyKey>();

    /// <summary>The orders' histories; written by <see cref="HistoryRecorder"/>, set-based, and only read through EF Core.</summary>
    public DbSet<OrderEvent> OrderEvents => Set<OrderEvent>();

    /// <summary>Orders' own copy of the catalogue.</summary>
    public DbSet<Product> Products => Set<Product>();

    /// <summary>What is recorded of an order, in its sequence; empty in the first moment after its submission.</summary>
    public Task<List<OrderEvent>> HistoryOfAsync(Guid orderId, CancellationToken cancellationToken) =>
        OrderEvents.AsNoTracking().Where(e => e.OrderId == orderId).OrderBy(e => e.Sequence).ToListAsync(cancellationToken);

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<Order>(Order);
        modelBuilder.Entity<IdempotencyKey>(key =>
        {
            key.SaveInSets().ToTable("idempotency_keys").HasKey(k => new { k.ShopperId, k.Key });
            key.HasIndex(k => k.CreatedAt, "idempotency_keys_by_age");
        });
        modelBuilder.Entity<OrderEvent>(e =>
        {
            e.ToTable("order_events").HasStorageParameter("fillfactor", 100).HasKey(recorded => new { recorded.OrderId, recorded.Sequence });
            e.Property(recorded => recorded.Offset).HasColumnName("record_offset");
            // json, not jsonb: it is only passed on, and json keeps what was sent to the letter
            e.Property(recorded => recorded.Data).HasColumnType("json");
        });
        modelBuilder.Entity<OrderEventsWaitingTable>(waiting =>
        {
            waiting.ToTable("order_events_waiting").HasKey(w => w.EventId);
            waiting.Property(w => w.Data).HasColumnType("json");
            waiting.HasIndex(w => w.OrderId, "order_events_waiting_by_order");
            waiting.HasIndex(w => w.WaitingSince, "order_events_waiting_by_age");
        });
        modelBuilder.Entity<Product>(product =>
        {
            product.ToTable("products", table => table.HasCheckConstraint("products_price_check", "price >= 0")).HasKey(p => p.Sku);
            product.Property(p => p.Price).HasPrecision(12, 2);
        });
    }

    private static void Order(EntityTypeBuilder<Order> order)
    {
        // an order is updated a few times in its first second: the room in its page keeps its next versions there
        order.ToTable("orders", table => table.HasCheckConstraint("orders_total_amount_check", "total_amount >= 0"))
            .HasStorageParameter("fillfactor", 60).HasKey(o => o.CorrelationId);
        order.Property(o => o.CorrelationId).ValueGeneratedNever();
        order.Property(o => o.Version).IsConcurrencyToken();
        order.Property(o => o.TotalAmount).HasPrecision(18, 2);
        AsJson(order.Property(o => o.Lines), OrdersJson.Default.IReadOnlyListOrderLine);
        AsJson(order.Property(o => o.ShipTo), OrdersJson.Default.Address);
        order.HasIndex(o => new { o.ShopperId, o.CorrelationId }, "orders_by_shopper").IsDescending(false, true);
        // One shopper's orders of a status, and everybody's. They end the heap-only updates of an order's three changes of state: its row's six
        // writes were measured to take 4.5 KB of write-ahead log in place of 3.0, which finding a stuck order among millions is worth.
        order.HasIndex(o => new { o.ShopperId, o.CurrentState, o.CorrelationId }, "orders_by_shopper_and_state").IsDescending(false, false, true);
        order.HasIndex(o => new { o.CurrentState, o.CorrelationId }, "orders_by_state").IsDescending(false, true);
    }

    /// <summary>Stores an immutable value as jsonb; it only changes by being replaced, so comparing references is enough.</summary>
    private static void AsJson<T>(PropertyBuilder<T> property, JsonTypeInfo<T> json) where T : class => property
        .HasColumnType("jsonb")
        .HasConversion(
            value => JsonSerializer.Serialize(value, json),
            text => JsonSerializer.Deserialize(text, json)!,
            new ValueComparer<T>((left, right) => ReferenceEquals(left, right), value => value.GetHashCode(), value => value));

    /// <summary>Almost always empty: events that were read before what has to come before them. Written and read by <see cref="HistoryTables"/>.</summary>
    private sealed record OrderEventsWaitingTable(Guid EventId, Guid OrderId, string Type, string Topic, int Partition, long RecordOffset,
        DateTimeOffset At, Guid? CausationId, string Data, DateTimeOffset WaitingSince);
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class OrdersDbFactory : DesignTimeDbContextFactory<OrdersDb>;
