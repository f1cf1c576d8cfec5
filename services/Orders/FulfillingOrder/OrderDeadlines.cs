using System.ComponentModel.DataAnnotations;

namespace Shop.Orders.FulfillingOrder;

/// <summary>How long an order waits before it is cancelled; configured by the section <c>Deadlines</c>.</summary>
public sealed class OrderDeadlines
{
    private const string Shortest = "00:00:00.001", Longest = "365.00:00:00";

    /// <summary>For its stock to be reserved.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Reservation { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For its payment to be authorised, declined or held.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Payment { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>For an operator to decide about its payment.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Review { get; set; } = TimeSpan.FromHours(24);
}
