using System.Diagnostics.CodeAnalysis;
using Shop.Contracts;

namespace Shop.Orders.RecordingHistory;

/// <summary>The topics whose records are about orders, and keyed by them.</summary>
public static class OrderTopics
{
    /// <summary>The topics; they have the same number of partitions, so one order's events are always read by one consumer.</summary>
    public static readonly Topic[] All = [Topics.Orders, Topics.Reservations, Topics.Payments];

    /// <summary>Finds the event with the CloudEvents type <paramref name="name"/>.</summary>
    public static bool TryGetEvent(string name, [MaybeNullWhen(false)] out EventType type)
    {
        foreach (var topic in All)
        {
            if (topic.TryGetEvent(name, out type))
                return true;
        }
        type = null;
        return false;
    }

    /// <summary>The event that <paramref name="clrType"/> carries.</summary>
    /// <exception cref="ArgumentException">There is none on these topics.</exception>
    public static EventType TypeOf(Type clrType)
    {
        foreach (var topic in All)
        {
            if (topic.TryGetEvent(clrType, out var type))
                return type;
        }
        throw new ArgumentException($"{clrType} is no event of an order", nameof(clrType));
    }
}
