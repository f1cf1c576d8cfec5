namespace Shop.Messaging.Consuming;

/// <summary>Handles records in batches and of any type, without deserialising them: for feeds, archives and projections.</summary>
public interface IRecordBatchHandler
{
    /// <summary>Called once a batch, in its transaction; the changes are saved afterwards.</summary>
    /// <param name="records">The batch's records, in their order within each partition, without duplicates and parked ones.</param>
    /// <param name="cancellationToken">Cancelled when the service stops.</param>
    Task HandleAsync(IReadOnlyList<ConsumedRecord> records, CancellationToken cancellationToken);
}
