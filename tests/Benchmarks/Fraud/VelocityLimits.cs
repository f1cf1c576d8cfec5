namespace Shop.Benchmarks.Fraud;

/// <summary>
/// What shops do that have no screening: plain limits on how often a card, a shopper, a device and an address pay within an hour and a day.
/// The denominator: what is reached above it is what looking closer is worth.
/// </summary>
internal sealed class VelocityLimits
{
    private const int AnHour = 4, ADay = 8;

    private readonly Dictionary<string, Queue<DateTimeOffset>> _payments = new(StringComparer.Ordinal);

    public bool Stops(LabelledPayment payment)
    {
        var stops = false;
        foreach (var key in (ReadOnlySpan<string?>)["c" + payment.Card, "s" + payment.ShopperId, payment.Device is { } d ? "d" + d : null, payment.Address is { } a ? "a" + a : null])
        {
            if (key is null)
                continue;
            if (!_payments.TryGetValue(key, out var times))
                _payments[key] = times = new();
            while (times.TryPeek(out var oldest) && oldest <= payment.At.AddDays(-1))
                times.Dequeue();
            times.Enqueue(payment.At);
            stops |= times.Count >= ADay || times.Count(at => at > payment.At.AddHours(-1)) >= AnHour;
        }
        return stops;
    }
}
