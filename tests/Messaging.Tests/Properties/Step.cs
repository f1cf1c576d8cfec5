using FsCheck;
using FsCheck.Fluent;

namespace Shop.Messaging.Tests.Properties;

/// <summary>One thing that happens to an endpoint that two instances serve. Instances are 0 and 1; each believes that the partition is its own.</summary>
public abstract record Step
{
    /// <summary>A new event of a key is on the log.</summary>
    public sealed record Publish(int Key) : Step;

    /// <summary>An event that was published before is on the log again: its relay crashed between produce and delete.</summary>
    public sealed record Duplicate(int Event) : Step;

    /// <summary>An instance handles the next records from where it is.</summary>
    public sealed record Deliver(int Instance, int Count) : Step;

    /// <summary>Both instances handle records at the same time.</summary>
    public sealed record DeliverToBoth(int Count) : Step;

    /// <summary>An instance dies while it handles the batch's record number <paramref name="At"/>, and begins again at what Kafka knows.</summary>
    public sealed record CrashInBatch(int Instance, int Count, int At) : Step;

    /// <summary>An instance commits a batch to the database and dies before it knows.</summary>
    public sealed record CrashAfterCommit(int Instance, int Count) : Step;

    /// <summary>The partition is assigned to an instance anew, which begins at some offset that Kafka was told; the other goes on as a zombie.</summary>
    public sealed record Rebalance(int Instance, int Percent) : Step;

    /// <summary>The database refuses a batch once, as for a deadlock.</summary>
    public sealed record Conflict(int Instance, int Count) : Step;

    /// <summary>An event cannot be handled from now on.</summary>
    public sealed record Poison(int Event) : Step;

    /// <summary>The handlers are mended.</summary>
    public sealed record Mend : Step;

    /// <summary>An operator redrives the oldest dead letter.</summary>
    public sealed record Redrive : Step;

    /// <summary>An operator redrives the oldest dead letter, and the instance dies while it plays record number <paramref name="At"/>.</summary>
    public sealed record CrashInRedrive(int At) : Step;

    /// <summary>An operator redrives while an instance handles records.</summary>
    public sealed record RedriveAndDeliver(int Instance, int Count) : Step;

    /// <summary>An operator discards the oldest dead letter.</summary>
    public sealed record Discard : Step;

    /// <summary>Random sequences, and how a failing one is made shorter: without its halves, its quarters and so on, down to single steps.</summary>
    public static Arbitrary<Step[]> Sequences { get; } = Arb.From(Generator().ArrayOf(), Shorter);

    private static Gen<Step> Generator()
    {
        var instance = Gen.Choose(0, 1);
        var count = Gen.Choose(1, 8);
        var any = Gen.Choose(0, 1000);
        return Gen.Frequency(
            (12, Gen.Choose(0, 2).Select(Step (key) => new Publish(key))),
            (2, any.Select(Step (e) => new Duplicate(e))),
            (6, instance.SelectMany(_ => count, Step (i, n) => new Deliver(i, n))),
            (2, count.Select(Step (n) => new DeliverToBoth(n))),
            (2, instance.SelectMany(_ => count.Two(), Step (i, n) => new CrashInBatch(i, n.Item1, n.Item2))),
            (2, instance.SelectMany(_ => count, Step (i, n) => new CrashAfterCommit(i, n))),
            (3, instance.SelectMany(_ => Gen.Choose(0, 100), Step (i, n) => new Rebalance(i, n))),
            (1, instance.SelectMany(_ => count, Step (i, n) => new Conflict(i, n))),
            (3, any.Select(Step (e) => new Poison(e))),
            (1, Gen.Constant<Step>(new Mend())),
            (2, Gen.Constant<Step>(new Redrive())),
            (1, count.Select(Step (n) => new CrashInRedrive(n))),
            (1, instance.SelectMany(_ => count, Step (i, n) => new RedriveAndDeliver(i, n))),
            (1, Gen.Constant<Step>(new Discard())));
    }

    private static IEnumerable<Step[]> Shorter(Step[] steps)
    {
        for (var size = steps.Length / 2; size > 0; size /= 2)
        {
            for (var start = 0; start < steps.Length; start += size)
                yield return [.. steps[..start], .. steps[Math.Min(start + size, steps.Length)..]];
        }
        if (steps.Length == 1)
            yield return [];
    }
}
