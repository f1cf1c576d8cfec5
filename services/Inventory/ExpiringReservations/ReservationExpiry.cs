using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.Inventory.Stock;
using Shop.Messaging.Schema;
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
        var held = await FindHeldAsync(db, reservations, stock.Keys, cancellationToken);
        foreach (var reservation in reservations)
        {
            db.Release(reservation, line => held.Contains((reservation.OrderId, line.Sku)) ? stock[line.Sku] : null, MovementCause.Expiry, now, logger);
            db.Publish(new StockReleased(reservation.OrderId, reservation.Lines));
        }
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        ReservationsExpired(logger, reservations.Count, settings.Value.Lifetime);
        return reservations.Count;
    }

    /// <summary>
    /// Which lines their products' stock holds. A product that was removed by force and made anew holds what was reserved since, and nothing of before: its
    /// pieces are those of the newest reservations, as many as add up to what it holds, and others' must not be given back for an older one. Whoever reserves or
    /// gives back has locked the stock, so that while it is locked here both stay as they are.
    /// </summary>
    private static async Task<HashSet<(Guid OrderId, string Sku)>> FindHeldAsync(InventoryDb db, IEnumerable<Reservation> reservations, IEnumerable<string> skus, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            SELECT order_id, sku FROM (
              SELECT order_id, line ->> 'sku' AS sku, sum((line ->> 'quantity')::bigint) OVER (PARTITION BY line ->> 'sku' ORDER BY decided_at DESC, order_id) AS pieces
              FROM reservations CROSS JOIN jsonb_array_elements(lines) AS line WHERE status = 'reserved' AND line ->> 'sku' = ANY($2)) AS newest
            JOIN stock USING (sku) WHERE pieces <= reserved AND order_id = ANY($1)
            """, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)db.Database.CurrentTransaction!.GetDbTransaction());
        command.Parameters.Add(SqlParameter.Of(reservations.Select(reservation => reservation.OrderId).ToArray()));
        command.Parameters.Add(SqlParameter.Of(skus.ToArray()));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var held = new HashSet<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken))
            held.Add((reader.GetGuid(0), reader.GetString(1)));
        return held;
    }

    [LoggerMessage(EventName = "ReservationsExpired", Level = LogLevel.Warning, Message = "{Count} reservations were held for longer than {Lifetime} and were given back: nothing was heard of their orders")]
    private static partial void ReservationsExpired(ILogger logger, int count, TimeSpan lifetime);
}
