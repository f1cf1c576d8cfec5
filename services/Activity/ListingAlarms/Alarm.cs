namespace Shop.Activity.ListingAlarms;

/// <summary>An alarm, from its raising to its clearing.</summary>
/// <param name="AlarmId">The alarm.</param>
/// <param name="Kind">What is wrong, one of <see cref="Contracts.AlarmKinds"/>.</param>
/// <param name="Service">The service that raised it.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="RaisedAt">When it began.</param>
/// <param name="ClearedAt">When it was over; null while it is open.</param>
/// <param name="Detail">What was expected and what was seen, for people.</param>
internal sealed record Alarm(Guid AlarmId, string Kind, string Service, string Subject, DateTimeOffset RaisedAt, DateTimeOffset? ClearedAt, string Detail)
{
    /// <summary>Given by the database in the order of raising.</summary>
    public long Position { get; private init; }
}
