using System.ComponentModel.DataAnnotations;

namespace Shop.Payments.ReviewingPayments;

/// <summary>What is said about reviews; the section <c>Reviews</c>.</summary>
public sealed class ReviewOptions
{
    /// <summary>How long an order waits for a decision: as <c>Deadlines:Review</c> of Orders, which ends what is undecided.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "365.00:00:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromHours(24);
}
