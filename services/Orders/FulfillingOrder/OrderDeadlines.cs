using System.ComponentModel.DataAnnotations;

namespace Shop.Orders.FulfillingOrder;

/// <summary>
/// How long an order waits before it is cancelled, or once it is confirmed counts as stuck; configured by the section <c>Deadlines</c>.
/// A deadline is for what will not come any more: it has to be longer than the restart of a service, a broker or a database takes,
/// which orders only wait out.
/// </summary>
public sealed class OrderDeadlines
{
    private const string Shortest = "00:00:00.001", Longest = "365.00:00:00";

    /// <summary>For its stock to be reserved.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Reservation { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>For its payment to be authorised, declined or held.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Payment { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>For an operator to decide about its payment.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Review { get; set; } = TimeSpan.FromHours(24);

    /// <summary>For its goods to be sent and its payment to be taken; an order that waits longer is not cancelled but stuck.</summary>
    [Range(typeof(TimeSpan), Shortest, Longest)]
    public TimeSpan Fulfilment { get; set; } = TimeSpan.FromMinutes(10);
}
