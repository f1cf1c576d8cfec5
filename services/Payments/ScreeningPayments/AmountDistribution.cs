using System.Runtime.InteropServices;

namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// What payments in one currency usually come to: a histogram of logarithms whose older half fades, so that "much" and "little" need no
/// setting for each currency, and follow the shop's prices.
/// </summary>
public sealed class AmountDistribution
{
    /// <summary>Four buckets to a doubling, from 2^-7 to 2^33 in the major unit.</summary>
    private const int PerDoubling = 4, Lowest = -7, Buckets = 40 * PerDoubling;

    /// <summary>Payments after which what was counted before weighs half.</summary>
    private const double HalfLife = 20_000;

    /// <summary>Fewer say nothing about what is usual.</summary>
    private const double Enough = 50;

    private const double NarrowestSpread = 0.4, WidestSpread = 1.1;

    private readonly float[] _counts;
    private double _total;
    private double _untilRefresh;

    /// <summary>Nothing is known yet.</summary>
    public AmountDistribution()
    {
        _counts = new float[Buckets];
        Refresh();
    }

    private AmountDistribution(float[] counts, ReadOnlySpan<double> rest)
    {
        _counts = counts;
        (_total, _untilRefresh, Median, Spread) = (rest[0], rest[1], rest[2], rest[3]);
    }

    /// <summary>The median of the logarithms; NaN while too little is known.</summary>
    public double Median { get; private set; }

    /// <summary>The spread of the logarithms around <see cref="Median"/>, as the standard deviation of a normal distribution with the same quartiles.</summary>
    public double Spread { get; private set; }

    /// <summary>How many times the usual amount this is; 1 while that is not known.</summary>
    public double Relative(decimal amount) => double.IsNaN(Median) ? 1 : Math.Exp(Math.Log(Math.Max(0.01, (double)amount)) - Median);

    /// <summary>Counts an amount.</summary>
    public void Add(decimal amount)
    {
        _counts[BucketOf(amount)]++;
        _total++;
        if (_total > HalfLife)
        {
            for (var i = 0; i < Buckets; i++)
                _counts[i] /= 2;
            _total = _counts.Sum();
        }
        // the quartiles move slowly: they are looked for when a hundredth has changed
        if (--_untilRefresh <= 0)
            Refresh();
    }

    /// <summary>The distribution as it is stored, with what was looked for last: a restart must not move a decision.</summary>
    public byte[] Encode() => [.. MemoryMarshal.AsBytes<float>(_counts), .. MemoryMarshal.AsBytes<double>([_total, _untilRefresh, Median, Spread])];

    /// <summary>Reads what <see cref="Encode"/> has written.</summary>
    /// <exception cref="FormatException">It is of another version.</exception>
    public static AmountDistribution Decode(ReadOnlySpan<byte> bytes)
    {
        const int Counts = Buckets * sizeof(float);
        if (bytes.Length != Counts + 4 * sizeof(double))
            throw new FormatException("A distribution of amounts is not in the format of this version");
        return new(MemoryMarshal.Cast<byte, float>(bytes[..Counts]).ToArray(), MemoryMarshal.Cast<byte, double>(bytes[Counts..]));
    }

    private static int BucketOf(decimal amount) =>
        Math.Clamp((int)((Math.Log2(Math.Max(0.01, (double)amount)) - Lowest) * PerDoubling), 0, Buckets - 1);

    private void Refresh()
    {
        _untilRefresh = Math.Max(1, Math.Floor(_total / 100));
        if (_total < Enough)
        {
            (Median, Spread) = (double.NaN, WidestSpread);
            return;
        }
        Median = Quantile(0.5);
        // the quartiles of a normal distribution are 1.349 standard deviations apart
        Spread = Math.Clamp((Quantile(0.75) - Quantile(0.25)) / 1.349, NarrowestSpread, WidestSpread);
    }

    private double Quantile(double share)
    {
        double wanted = share * _total, below = 0;
        for (var i = 0; i < Buckets; i++)
        {
            if (below + _counts[i] >= wanted && _counts[i] > 0)
                return (Lowest + (i + (wanted - below) / _counts[i]) / PerDoubling) * Math.Log(2);
            below += _counts[i];
        }
        return (Lowest + (double)Buckets / PerDoubling) * Math.Log(2);
    }
}
