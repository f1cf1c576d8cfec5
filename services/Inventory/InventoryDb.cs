using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Shop.Inventory.Products;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Stock;
using Shop.Messaging;
using Shop.Messaging.Outbox;

namespace Shop.Inventory;

/// <summary>Inventory's database. What changes of products and stock is published with the change, whoever made it.</summary>
internal sealed class InventoryDb(DbContextOptions<InventoryDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    public DbSet<Product> Products => Set<Product>();

    public DbSet<StockItem> Stock => Set<StockItem>();

    public DbSet<Reservation> Reservations => Set<Reservation>();

    /// <summary>A text as it is searched: without case and accents, however its letters are composed. Evaluated by the database.</summary>
    public static string Searchable(string text) => throw new InvalidOperationException($"{nameof(Searchable)} is for queries: '{text}'");

    /// <summary>
    /// Saves, and publishes the final state of each changed product and stock item: one event a sku, however many lines of a
    /// batch changed it. To be called once in a scope: a second call after a failed one would publish again.
    /// </summary>
    public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        foreach (var entry in ChangeTracker.Entries<Product>().Where(IsChanged))
            Publish(entry.Entity.ToEvent());
        foreach (var entry in ChangeTracker.Entries<StockItem>().Where(IsChanged))
        {
            foreach (var @event in entry.Entity.EventsSince(AvailableBefore(entry)))
                Publish(@event);
        }
        return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Product>(product =>
        {
            product.HasKey(p => p.Sku);
            product.ComplexProperty(p => p.Price);
            product.Property(p => p.SearchText).HasComputedColumnSql(@"searchable(sku || E'\n' || name || E'\n' || description)", stored: true);
        });
        modelBuilder.HasDbFunction(() => Searchable("")).HasName("searchable");
        modelBuilder.Entity<StockItem>(stock =>
        {
            stock.ToTable("stock").HasKey(s => s.Sku);
            stock.Ignore(s => s.Available);
        });
        modelBuilder.Entity<Reservation>(reservation =>
        {
            reservation.HasKey(r => r.OrderId);
            reservation.Property(r => r.Status).HasConversion(
                status => status.ToString().ToLowerInvariant(), text => Enum.Parse<ReservationStatus>(text, ignoreCase: true));
            AsJson(reservation.Property(r => r.Lines), InventoryJson.Default.IReadOnlyListReservedLine);
            AsJson(reservation.Property(r => r.Shortages), InventoryJson.Default.IReadOnlyListShortage);
        });
    }

    /// <summary>Stores what is written once, and never changes, as jsonb.</summary>
    private static void AsJson<T>(PropertyBuilder<IReadOnlyList<T>> property, JsonTypeInfo<IReadOnlyList<T>> json) => property
        .HasColumnType("jsonb")
        .HasConversion(
            values => JsonSerializer.Serialize(values, json),
            text => JsonSerializer.Deserialize(text, json)!,
            new ValueComparer<IReadOnlyList<T>>((a, b) => ReferenceEquals(a, b), values => values.Count, values => values));

    private static int? AvailableBefore(EntityEntry<StockItem> entry) => entry.State == EntityState.Added
        ? null
        : entry.OriginalValues.GetValue<int>(nameof(StockItem.OnHand)) - entry.OriginalValues.GetValue<int>(nameof(StockItem.Reserved));

    private static bool IsChanged(EntityEntry entry) => entry.State is EntityState.Added or EntityState.Modified;
}
