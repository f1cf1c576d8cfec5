using System.Data.Common;

namespace Shop.Orders.RepairingOrders;

/// <summary>Counts the stuck orders for the metric <c>shop.orders.stuck</c>, and says in the log when their number changes.</summary>
internal sealed partial class StuckOrdersMonitor(IServiceScopeFactory scopes, TimeProvider time, ILogger<StuckOrdersMonitor> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private long _last;

    /// <summary>Counts once.</summary>
    internal async Task CountAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var byState = await scope.ServiceProvider.GetRequiredService<StuckOrders>().CountAsync(cancellationToken);
        OrderMetrics.SetStuck(byState);
        var count = byState.Values.Sum();
        if (count != _last)
            LogStuck(logger, count, _last);
        _last = count;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await CountAsync(stoppingToken);
                }
                catch (Exception e) when (e is DbException or InvalidOperationException or TimeoutException)
                {
                    LogNotCounted(logger, e.GetBaseException().Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the service stops
        }
    }

    [LoggerMessage(EventName = "StuckOrdersChanged", Level = LogLevel.Warning, Message = "{Count} orders are stuck, after {Before}: see /api/ops/orders/stuck")]
    private static partial void LogStuck(ILogger logger, long count, long before);

    [LoggerMessage(EventName = "StuckOrdersNotCounted", Level = LogLevel.Warning, Message = "Stuck orders could not be counted: {Reason}")]
    private static partial void LogNotCounted(ILogger logger, string reason);
}
