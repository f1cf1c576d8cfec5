using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Stock;
using Shop.Messaging.Workers;

namespace Shop.Inventory.ExpiringReservations;

/// <summary>
/// Gives back what was reserved for too long. The order is told, so that one that was alive after all ends rather than waits for goods that
/// nobody holds any more.
/// </summary>
internal sealed partial class ReservationExpiry(IServiceScopeFactory scopes, IOptions<ReservationLifetime> settings, TimeProvider time, ILogger<ReservationExpiry> logger)
    : IPeriodicWorker
{
    /// <summary>Reservations of one transaction.</summary>
    private const int Step = 300;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        while (await ExpireAsync(stoppingToken) == Step)
        {
        }
    }

    private async Task<int> ExpireAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var before = now - settings.Value.Lifetime;
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InventoryDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // what is locked is being expired by another instance, or was just heard of
        var reservations = await db.Reservations.FromSql($"""
            SELECT * FROM reservations WHERE status = 'reserved' AND decided_at < {before} ORDER BY decided_at LIMIT {Step} FOR UPDATE SKIP LOCKED
            """).ToListAsync(cancellationToken);
        if (reservations.Count == 0)
            return 0;
        var stock = (await db.LockStockAsync(reservations.SelectMany(reservation => reservation.Lines).Select(line => line.Sku).Distinct(), cancellationToken))
            .ToDictionary(item => item.Sku, StringComparer.Ordinal);
        foreach (var reservation in reservations)
        {
            db.Release(reservation, line => stock.GetValueOrDefault(line.Sku), MovementCause.Expiry, now, logger);
            db.Publish(new StockReleased(reservation.OrderId, reservation.Lines));
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        ReservationsExpired(logger, reservations.Count, settings.Value.Lifetime);
        return reservations.Count;
    }

    [LoggerMessage(EventName = "ReservationsExpired", Level = LogLevel.Warning, Message = "{Count} reservations were held for longer than {Lifetime} and were given back: nothing was heard of their orders")]
    private static partial void ReservationsExpired(ILogger logger, int count, TimeSpan lifetime);
}
