using System.ComponentModel.DataAnnotations;

namespace Shop.Orders.SubmittingOrder;

/// <summary>How long idempotency keys are kept; configured by the section <c>IdempotencyKeys</c>.</summary>
public sealed class IdempotencyKeyOptions
{
    private const string Shortest = "01:00:00", Longest = "365.00:00:00";

    /// <summary>For how long the same key is the same order. It has to be longer than any client goes on trying.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest, ErrorMessage = "IdempotencyKeys:Lifetime must be from {1} to {2}: a shorter one is over before a client that retries is")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Time between two rounds of deleting what has expired.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "1.00:00:00")]
    public TimeSpan CleanupInterval { get; set; } = TimeSpan.FromMinutes(1);
}
