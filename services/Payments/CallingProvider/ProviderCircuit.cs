using System.Net;
using Polly.CircuitBreaker;

namespace Shop.Payments.CallingProvider;

/// <summary>
/// The circuit breaker in front of the provider: while it is open nothing is called, except for one call now and then that finds out
/// whether the provider is back. Calls that hang do not open it: they are about single payments, and <see cref="CallRoom"/> bounds them.
/// </summary>
internal sealed partial class ProviderCircuit(TimeProvider time, ILogger<ProviderCircuit> logger)
{
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(1);

    private readonly CircuitBreakerStateProvider _state = new();
    private long _openedAt;

    /// <summary>The strategy for the provider's HTTP client: open when nearly all of at least 20 calls within 5 s have failed.</summary>
    public CircuitBreakerStrategyOptions<HttpResponseMessage> Options => new()
    {
        Name = "payment-provider",
        FailureRatio = 0.9,
        MinimumThroughput = 20,
        SamplingDuration = TimeSpan.FromSeconds(5),
        BreakDuration = BreakDuration,
        StateProvider = _state,
        ShouldHandle = static outcome => ValueTask.FromResult(
            outcome.Outcome is { Exception: HttpRequestException } or { Result.StatusCode: >= HttpStatusCode.InternalServerError }),
        OnOpened = opened =>
        {
            Volatile.Write(ref _openedAt, time.GetTimestamp());
            Opened(logger, PaymentProviderClient.Readable(opened.Outcome.Exception?.GetBaseException().Message) ?? $"it answers with {(int?)opened.Outcome.Result?.StatusCode}");
            return default;
        },
        OnClosed = _ =>
        {
            Closed(logger);
            return default;
        },
    };

    /// <summary>How many of <paramref name="wanted"/> calls are worth beginning.</summary>
    public int Allowed(int wanted) => _state.CircuitState == CircuitState.Closed ? wanted
        : time.GetElapsedTime(Volatile.Read(ref _openedAt)) < BreakDuration ? 0 : Math.Min(wanted, 1);

    [LoggerMessage(EventName = "ProviderAway", Level = LogLevel.Warning, Message = "The payment provider is away, payments wait for it: {Reason}")]
    private static partial void Opened(ILogger logger, string reason);

    [LoggerMessage(EventName = "ProviderBack", Level = LogLevel.Information, Message = "The payment provider is back")]
    private static partial void Closed(ILogger logger);
}
