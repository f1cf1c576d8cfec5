namespace Shop.Messaging.Consuming;

/// <summary>Whether a log is the one that an endpoint's position is about.</summary>
internal enum LogIdentity
{
    /// <summary>It is, or nothing speaks against it and nothing could be passed over.</summary>
    Same,

    /// <summary>The record that would tell was not read yet: reading has to begin at it.</summary>
    Unknown,

    /// <summary>The record that would tell is not there: compacted, most likely.</summary>
    Doubtful,

    /// <summary>It is not: its topic was deleted and made anew, or it lost its end.</summary>
    Another,
}

/// <summary>Tells logs apart by the record before the position: another one there is another log.</summary>
internal static class LogIdentities
{
    /// <summary>Compares the first record that came under an assignment, or the first one after a step back.</summary>
    /// <param name="assignment">Where the log is read; its position is known.</param>
    /// <param name="record">The record.</param>
    /// <param name="feed">Knows where the log begins and ends; asked only where the record to compare did not come.</param>
    public static LogIdentity Of(PartitionAssignment assignment, ConsumedRecord record, IPartitionFeed feed)
    {
        var position = assignment.Position!;
        if (assignment.IsAnotherLog)
            return LogIdentity.Another;
        if (record.Offset == position.Start)
            return position.LastRecord is null || record.Fingerprint().AsSpan().SequenceEqual(position.LastRecord) ? LogIdentity.Same : LogIdentity.Another;
        if (assignment.Start != position.Start && (position.LastRecord is not null || record.Offset > position.Next))
            return LogIdentity.Unknown;
        // what could not be read cannot be read still, nor can more behind it
        if (record.Unreadable is not null && position.IsBehindUnreadable)
            return LogIdentity.Same;
        var (first, end) = feed.Bounds(assignment.Partition);
        if (end < position.Next)
            return LogIdentity.Another;
        // where everything up to the position was deleted by its age or size, all that is there comes next
        return position.LastRecord is null || first >= position.Next ? LogIdentity.Same : LogIdentity.Doubtful;
    }
}
