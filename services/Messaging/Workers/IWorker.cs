namespace Shop.Messaging.Workers;

/// <summary>Work that goes on in the background for as long as the service runs.</summary>
public interface IWorker
{
    /// <summary>
    /// Works until it is stopped. Whatever it throws is logged, counted and shown by readiness, and it is called again after a pause
    /// that grows with each failure.
    /// </summary>
    /// <param name="stoppingToken">Cancelled when the service stops.</param>
    Task RunAsync(CancellationToken stoppingToken);
}

/// <summary>Work that is done again and again.</summary>
public interface IPeriodicWorker
{
    /// <summary>The time from one round to the next.</summary>
    TimeSpan Interval { get; }

    /// <summary>Does a round. Whatever it throws is logged, counted and shown by readiness until a round succeeds.</summary>
    /// <param name="stoppingToken">Cancelled when the service stops.</param>
    Task RunOnceAsync(CancellationToken stoppingToken);
}
