using System.ComponentModel.DataAnnotations;

namespace Shop.Inventory.ExpiringReservations;

/// <summary>How long pieces may be reserved; configured by the section <c>Reservations</c>.</summary>
internal sealed class ReservationLifetime
{
    /// <summary>
    /// The time after which a reservation of which nothing more was heard is given back. An order's own deadlines give it back long before
    /// (together 24 hours and 4 minutes, where nobody has set others): this has to be longer than they are, and is for orders that are lost.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00", ErrorMessage = "Reservations:Lifetime must be from {1} to {2}, and longer than all of the orders' deadlines together")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(48);
}
