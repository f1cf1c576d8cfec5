using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Shop.Messaging;
using Shop.Messaging.Outbox;
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
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("orders").HasKey(o => o.CorrelationId);
            order.Property(o => o.CorrelationId).ValueGeneratedNever();
            order.Property(o => o.Version).IsConcurrencyToken();
            order.Property(o => o.TotalAmount).HasPrecision(18, 2);
            AsJson(order.Property(o => o.Lines), OrdersJson.Default.IReadOnlyListOrderLine);
            AsJson(order.Property(o => o.ShipTo), OrdersJson.Default.Address);
        });
        modelBuilder.Entity<IdempotencyKey>().ToTable("idempotency_keys").HasKey(key => new { key.ShopperId, key.Key });
        modelBuilder.Entity<OrderEvent>(e =>
        {
            e.ToTable("order_events").HasKey(recorded => new { recorded.OrderId, recorded.Sequence });
            e.Property(recorded => recorded.Offset).HasColumnName("record_offset");
            e.Property(recorded => recorded.Data).HasColumnType("json");
        });
        modelBuilder.Entity<Product>(product =>
        {
            product.ToTable("products").HasKey(p => p.Sku);
            product.Property(p => p.Price).HasPrecision(12, 2);
        });
    }

    /// <summary>Stores an immutable value as jsonb; it only changes by being replaced, so comparing references is enough.</summary>
    private static void AsJson<T>(PropertyBuilder<T> property, JsonTypeInfo<T> json) where T : class => property
        .HasColumnType("jsonb")
        .HasConversion(
            value => JsonSerializer.Serialize(value, json),
            text => JsonSerializer.Deserialize(text, json)!,
            new ValueComparer<T>((left, right) => ReferenceEquals(left, right), value => value.GetHashCode(), value => value));
}
