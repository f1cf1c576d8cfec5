using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Shop.Inventory.CorrectingStock;
using Shop.Inventory.Products;
using Shop.Inventory.ReceivingGoods;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Sensors;
using Shop.Inventory.Stock;
using Shop.Inventory.WatchingSensors;
using Shop.Messaging;
using Shop.Messaging.ChangeCapture;
using Shop.Messaging.Outbox;
using Shop.Messaging.Schema;

namespace Shop.Inventory;

/// <summary>
/// Inventory's database. What changes of the stock is published with the change; what changes of products is captured from the database,
/// whoever made it.
/// </summary>
internal sealed class InventoryDb(DbContextOptions<InventoryDb> options, TransactionalOutbox outbox) : MessagingDbContext(options, outbox)
{
    private readonly StockLedger _ledger = new();

    public DbSet<Product> Products => Set<Product>();

    public DbSet<StockItem> Stock => Set<StockItem>();

    /// <summary>What was received; written by <see cref="ReceiptEndpoints"/>, and only read through EF Core.</summary>
    public DbSet<Receipt> Receipts => Set<Receipt>();

    public DbSet<Reservation> Reservations => Set<Reservation>();

    /// <summary>The ledger; written by <see cref="Record"/>, and only read through EF Core.</summary>
    public DbSet<StockMovement> Movements => Set<StockMovement>();

    /// <summary>Corrections after stock-takings; written by <see cref="CorrectionEndpoints"/>, and only read through EF Core.</summary>
    public DbSet<Correction> Corrections => Set<Correction>();

    public DbSet<Sensor> Sensors => Set<Sensor>();

    /// <summary>What is known of sensors from their readings; written by <see cref="WatchingSensors.SensorStates"/>, and only read through EF Core.</summary>
    public DbSet<SensorState> SensorStates => Set<SensorState>();

    /// <summary>A text as it is searched: without case and accents, however its letters are composed. Evaluated by the database.</summary>
    public static string Searchable(string text) => throw new InvalidOperationException($"{nameof(Searchable)} is for queries: '{text}'");

    /// <summary>Adds an entry to the ledger, which is saved with the stock that it is about.</summary>
    public void Record(StockMovement movement) => _ledger.Add(movement);

    /// <summary>Loads the stock of products, locked in the order of their skus: whoever changes stock locks it here, and waits for nobody in a circle.</summary>
    public Task<List<StockItem>> LockStockAsync(IEnumerable<string> skus, CancellationToken cancellationToken)
    {
        var wanted = skus.ToArray();
        return Stock.FromSql($"SELECT sku, on_hand, reserved, dispatched FROM stock WHERE sku = ANY({wanted}) ORDER BY sku FOR UPDATE").ToListAsync(cancellationToken);
    }

    /// <summary>
    /// Saves, and publishes the final state of each changed stock item: one event a sku, however many lines of a batch changed it. To be called once in a scope: a second call after a failed one would publish again.
    /// </summary>
    /// <exception cref="InvalidOperationException">The stock was changed otherwise than the ledger says.</exception>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        foreach (var entry in ChangeTracker.Entries<StockItem>().Where(IsChanged))
        {
            if (ChangeOf(entry) != _ledger.ChangeOf(entry.Entity.Sku))
                throw new InvalidOperationException($"The stock of {entry.Entity.Sku} has changed by {ChangeOf(entry)}, but the ledger says {_ledger.ChangeOf(entry.Entity.Sku)}");
            foreach (var @event in entry.Entity.EventsSince(AvailableBefore(entry)))
                Publish(@event);
        }
        if (!_ledger.HasMovements)
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);

        await using var own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        var saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await _ledger.WriteAsync((NpgsqlConnection)Database.GetDbConnection(), (NpgsqlTransaction)Database.CurrentTransaction!.GetDbTransaction(), cancellationToken);
        if (own is not null)
            await own.CommitAsync(cancellationToken);
        return saved;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddChangeCapture();
        modelBuilder.Entity<Product>(product =>
        {
            product.ToTable("products", table =>
            {
                table.HasCheckConstraint("products_sku_check", "sku ~ '^[a-z0-9-]{1,64}$'");
                // whoever writes the row: it is sold as it is, so it has to be what PUT would take; blank is what .NET takes for it
                table.HasCheckConstraint("products_name_check",
                    $"""length(name) <= {Product.MaxNameLength} AND name ~ '[^\u0009-\u000d \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'""");
                table.HasCheckConstraint("products_price_amount_check", $"price_amount > 0 AND price_amount <= {Product.MaxPrice}");
                table.HasCheckConstraint("products_price_currency_check", $"price_currency = '{Product.Currency}'");
                // what is larger than a topic takes could not be told to anybody
                table.HasCheckConstraint("products_description_check", "length(description) <= 50000");
            }).HasKey(p => p.Sku);
            SortedByBytes(product.Property(p => p.Sku));
            product.ComplexProperty(p => p.Price).Property(price => price.Amount).HasPrecision(12, 2);
            product.Property(p => p.ChangedAt).HasDefaultValueSql("now()");
            product.Property(p => p.SearchText).HasComputedColumnSql(@"searchable(sku || E'\n' || name || E'\n' || description)", stored: true);
        });
        modelBuilder.HasDbFunction(() => Searchable("")).HasName("searchable");
        modelBuilder.Entity<StockItem>(stock =>
        {
            stock.ToTable("stock", table =>
            {
                table.HasCheckConstraint("stock_never_negative", "reserved >= 0 AND on_hand >= reserved AND dispatched >= 0");
                // pieces only move from on_hand to dispatched, so with this no later step can overflow
                table.HasCheckConstraint("stock_received_fits", "on_hand::bigint + dispatched <= 2147483647");
            });
            // hot rows: room in the page for the next versions keeps the index out of updates
            stock.SaveInSets().HasStorageParameter("fillfactor", 50).HasKey(s => s.Sku);
            stock.HasOne<Product>().WithOne().HasForeignKey<StockItem>(s => s.Sku).OnDelete(DeleteBehavior.NoAction);
            SortedByBytes(stock.Property(s => s.Sku));
            stock.Ignore(s => s.Available);
        });
        modelBuilder.Entity<Reservation>(reservation =>
        {
            reservation.ToTable("reservations", table =>
                table.HasCheckConstraint("reservations_status_check", "status IN ('reserved', 'rejected', 'released', 'dispatched')"));
            reservation.SaveInSets().HasStorageParameter("fillfactor", 80).HasKey(r => r.OrderId);
            reservation.HasIndex(r => r.DecidedAt, "reservations_held").HasFilter("status = 'reserved'");
            reservation.Property(r => r.Status).HasConversion(
                status => status.ToString().ToLowerInvariant(), text => Enum.Parse<ReservationStatus>(text, ignoreCase: true));
            AsJson(reservation.Property(r => r.Lines), InventoryJson.Default.IReadOnlyListReservedLine);
            AsJson(reservation.Property(r => r.Shortages), InventoryJson.Default.IReadOnlyListShortage);
        });
        modelBuilder.Entity<Receipt>(receipt =>
        {
            receipt.ToTable("receipts", table => table.HasCheckConstraint("receipts_quantity_check", "quantity > 0"))
                .HasKey(r => new { r.OperatorId, r.IdempotencyKey });
            receipt.HasOne<StockItem>().WithMany().HasForeignKey(r => r.Sku).OnDelete(DeleteBehavior.NoAction);
            SortedByBytes(receipt.Property(r => r.Sku));
        });
        modelBuilder.Entity<Correction>(correction =>
        {
            correction.ToTable("corrections").HasKey(c => new { c.OperatorId, c.IdempotencyKey });
            correction.HasOne<StockItem>().WithMany().HasForeignKey(c => c.Sku).OnDelete(DeleteBehavior.NoAction);
            SortedByBytes(correction.Property(c => c.Sku));
        });
        modelBuilder.Entity<StockMovement>(movement =>
        {
            movement.ToTable("stock_movements", table => table.HasCheckConstraint("stock_movements_cause_check", "cause IN ('receipt', 'correction', 'order', 'expiry')"));
            // one index serves the ledger of a product, page by page
            movement.HasKey(m => new { m.Sku, m.Id });
            movement.Property(m => m.Id).UseIdentityAlwaysColumn();
            movement.Property(m => m.Cause).HasConversion(cause => StockLedger.NameOf(cause), text => Enum.Parse<MovementCause>(text, ignoreCase: true));
            SortedByBytes(movement.Property(m => m.Sku));
        });
        modelBuilder.Entity<Sensor>(sensor =>
        {
            sensor.ToTable("sensors", table => table.HasCheckConstraint("sensors_kind_check", """
                kind = 'weight' AND sku IS NOT NULL AND unit_grams > 0 AND tare_grams IS NOT NULL
                OR kind = 'temperature' AND sku IS NULL AND min_celsius < max_celsius
                """)).HasKey(s => s.Name);
            SortedByBytes(sensor.Property(s => s.Name));
            sensor.Property(s => s.Kind).HasConversion(kind => kind.ToString().ToLowerInvariant(), text => Enum.Parse<SensorKind>(text, ignoreCase: true));
            SortedByBytes(sensor.Property(s => s.Sku!));
            // a shelf is weighed once, and holds all of its product
            sensor.HasIndex(s => s.Sku, "sensors_by_sku").IsUnique();
            sensor.Ignore(s => s.Setup);
        });
        modelBuilder.Entity<SensorState>(state =>
        {
            // updated all the time, and no index with it
            state.ToTable("sensor_states").HasStorageParameter("fillfactor", 50).HasKey(s => s.Sensor);
            state.HasOne<Sensor>().WithOne().HasForeignKey<SensorState>(s => s.Sensor).OnDelete(DeleteBehavior.Cascade);
            SortedByBytes(state.Property(s => s.Sensor));
        });
    }

    /// <summary>Skus sort by their bytes: paging must not depend on a locale.</summary>
    private static void SortedByBytes(PropertyBuilder<string> sku) => sku.UseCollation("C");

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

    private static StockChange ChangeOf(EntityEntry<StockItem> entry)
    {
        var item = entry.Entity;
        var (onHand, reserved, dispatched) = entry.State == EntityState.Added
            ? (0, 0, 0)
            : (Before(nameof(StockItem.OnHand)), Before(nameof(StockItem.Reserved)), Before(nameof(StockItem.Dispatched)));
        return new(item.Sku, item.OnHand - onHand, item.Reserved - reserved, item.Dispatched - dispatched);

        int Before(string property) => entry.OriginalValues.GetValue<int>(property);
    }

    private static bool IsChanged(EntityEntry entry) => entry.State is EntityState.Added or EntityState.Modified;
}

/// <summary>By which <c>dotnet ef</c> finds the model.</summary>
internal sealed class InventoryDbFactory : DesignTimeDbContextFactory<InventoryDb>;
