using Shop.Messaging.Workers;

namespace Shop.Orders.RepairingOrders;

/// <summary>Counts the stuck orders for the metric <c>shop.orders.stuck</c>, and says in the log when their number changes.</summary>
internal sealed partial class StuckOrdersMonitor(IServiceScopeFactory scopes, ILogger<StuckOrdersMonitor> logger) : IPeriodicWorker
{
    private long _last;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromSeconds(15);

    /// <summary>Counts once.</summary>
    public async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var byState = await scope.ServiceProvider.GetRequiredService<StuckOrders>().CountAsync(stoppingToken);
        OrderMetrics.SetStuck(byState);
        var count = byState.Values.Sum();
        if (count != _last)
            LogStuck(logger, count, _last);
        _last = count;
    }

    [LoggerMessage(EventName = "StuckOrdersChanged", Level = LogLevel.Warning, Message = "{Count} orders are stuck, after {Before}: see /api/ops/orders/stuck")]
    private static partial void LogStuck(ILogger logger, long count, long before);
}
