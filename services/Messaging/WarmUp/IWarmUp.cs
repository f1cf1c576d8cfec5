namespace Shop.Messaging.WarmUp;

/// <summary>
/// What an instance does once before it is ready, so that its first real work does not wait for code to be compiled, models to be built
/// and statements to be prepared.
/// </summary>
public interface IWarmUp
{
    /// <summary>Does the service's usual work with made-up data; whatever it writes to the scope's database is rolled back.</summary>
    /// <param name="rehearsal">Hands the service made-up requests and events.</param>
    /// <param name="cancellationToken">The service stops, or has waited long enough.</param>
    Task RunAsync(Rehearsal rehearsal, CancellationToken cancellationToken);
}
