using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Shop.Testing;

/// <summary>Waits for a condition, in place of sleeping for as long as it might take.</summary>
public static class Eventually
{
    /// <summary>
    /// Tells what never comes from what takes long: a group waits for a killed member's session (10 s), for processes that start and for
    /// Java, all of it several times as long on a busy machine. How long things take is for the benchmarks to say.
    /// </summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns as soon as <paramref name="condition"/> holds.</summary>
    /// <exception cref="TimeoutException">It did not hold before the deadline (5 min unless given).</exception>
    public static async Task BecomesTrueAsync(Func<Task<bool>> condition, TimeSpan? deadline = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed > (deadline ?? DefaultDeadline))
                throw new TimeoutException($"Did not become true within {deadline ?? DefaultDeadline}: {what}");
            await Task.Delay(PollInterval);
        }
    }

    /// <summary>Returns as soon as <paramref name="read"/> gives <paramref name="expected"/>.</summary>
    /// <exception cref="TimeoutException">It did not before the deadline (5 min unless given); the message has the last value.</exception>
    public static async Task BecomesAsync<T>(T expected, Func<Task<T>> read, TimeSpan? deadline = null, [CallerArgumentExpression(nameof(read))] string what = "")
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var actual = await read();
            if (EqualityComparer<T>.Default.Equals(actual, expected))
                return;
            if (watch.Elapsed > (deadline ?? DefaultDeadline))
                throw new TimeoutException($"Expected {expected} but was {actual} after {deadline ?? DefaultDeadline}: {what}");
            await Task.Delay(PollInterval);
        }
    }
}
