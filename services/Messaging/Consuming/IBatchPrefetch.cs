namespace Shop.Messaging.Consuming;

/// <summary>Loads the rows that a batch's handlers are going to need, in as few queries as possible, into the scope's DbContext.</summary>
public interface IBatchPrefetch
{
    /// <summary>Called once a batch, in its transaction, before the first handler.</summary>
    /// <param name="messages">The batch's events, in their order, without duplicates and parked ones.</param>
    /// <param name="cancellationToken">Cancelled when the service stops.</param>
    Task PrefetchAsync(IReadOnlyList<object> messages, CancellationToken cancellationToken);
}
