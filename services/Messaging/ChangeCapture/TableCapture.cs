using Shop.Contracts;

namespace Shop.Messaging.ChangeCapture;

/// <summary>A table whose changes are published to a compacted topic, by a column that is its primary key.</summary>
/// <param name="Table">The table, in the schema <c>public</c>.</param>
/// <param name="KeyColumn">Its primary key, which becomes the record's.</param>
/// <param name="Type">The event that a row is.</param>
/// <param name="Map">Makes the event of a row; what it throws leaves that row out, which is logged as an error.</param>
internal sealed record TableCapture(string Table, string KeyColumn, EventType Type, Func<CapturedRow, object> Map)
{
    /// <summary>Names the publication.</summary>
    public string Publication => $"{Table}_changes";

    /// <summary>Names the slot: those of all databases of a server share their names.</summary>
    public string SlotIn(string database) => $"{database}_{Table}";
}
