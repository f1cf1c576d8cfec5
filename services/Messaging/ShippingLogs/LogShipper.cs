using Shop.Messaging.Streams;
using Shop.Messaging.Workers;

namespace Shop.Messaging.ShippingLogs;

/// <summary>Sends the lines that wait; what the broker does not take in time is dropped and counted.</summary>
internal sealed class LogShipper(LogQueue queue, EventStream stream) : IWorker
{
    private const int MostAtOnce = 1_000;

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var lines = await queue.TakeAsync(MostAtOnce, stoppingToken);
            try
            {
                await stream.PublishAsync(lines);
            }
            catch (EventsNotTakenException e)
            {
                queue.NotTaken(lines, e.Count);
            }
        }
    }
}
