using Confluent.Kafka;
using Shop.Messaging.Consuming;

namespace Shop.Messaging.Tests.Consuming;

/// <summary>What the first record that comes says of the log.</summary>
public sealed class LogIdentityTests
{
    private const long Next = 10;

    [Theory]
    [InlineData(true, Next - 1, Next - 1, "handled", 0, 20, "Same")] // the record that was handled last comes first, or another one in its place
    [InlineData(true, Next - 1, Next - 1, "another", 0, 20, "Another")]
    [InlineData(true, null, Next, "new", 0, 20, "Unknown")] // reading began elsewhere
    [InlineData(true, null, 0L, "old", 0, 20, "Unknown")]
    [InlineData(true, Next - 4, Next - 4, "old", 0, 20, "Unknown")]
    [InlineData(true, Next + 4, Next + 5, "new", 0, 20, "Unknown")]
    [InlineData(true, Next - 1, Next, "new", Next, 20, "Same")] // it began at the record, and that is not there: deleted with all before it, compacted, or the log ends before it
    [InlineData(true, Next - 1, Next + 5, "new", Next + 5, 20, "Same")]
    [InlineData(true, Next - 1, Next, "new", 0, 20, "Doubtful")]
    [InlineData(true, Next - 1, 0L, "another", 0, 20, "Doubtful")]
    [InlineData(true, Next - 1, 0L, "another", 0, Next - 1, "Another")]
    [InlineData(false, Next - 1, Next - 1, "old", 0, 20, "Same")] // nothing is known of the record: only a log that is too short is another one
    [InlineData(false, null, Next, "new", 0, 20, "Same")]
    [InlineData(false, null, 0L, "old", 0, Next, "Same")]
    [InlineData(false, null, 0L, "another", 0, Next - 1, "Another")]
    [InlineData(false, null, Next + 1, "new", 0, 20, "Unknown")]
    [InlineData(false, Next, Next + 1, "new", 0, 20, "Same")]
    public void The_first_record_tells_whether_it_is_the_log(bool isKnown, long? start, long offset, string body, long first, long end, string expected)
    {
        var assignment = new PartitionAssignment(new("notes", 1)) { Start = start, Position = new(Next, isKnown ? Record(Next - 1, "handled").Fingerprint() : null) };

        Assert.Equal(expected, LogIdentities.Of(assignment, Record(offset, body), new Log(first, end)).ToString());
    }

    [Fact]
    public void A_topic_that_was_made_anew_is_another_log_whatever_comes()
    {
        var assignment = new PartitionAssignment(new("notes", 1)) { IsAnotherLog = true, Position = new(Next, Record(Next - 1, "handled").Fingerprint()) };

        Assert.Equal(LogIdentity.Another, LogIdentities.Of(assignment, Record(Next - 1, "handled"), new Log(0, 20)));
    }

    [Fact]
    public void Behind_what_could_not_be_read_a_record_that_can_be_is_of_another_log()
    {
        var unreadable = ConsumedRecord.InPlaceOf(new("notes", 1), Next - 3, Next, DateTimeOffset.UnixEpoch);
        var assignment = new PartitionAssignment(new("notes", 1)) { Start = Next - 1, Position = new(Next, unreadable.Fingerprint()) };

        Assert.Equal(Next - 1, assignment.Position!.Start);
        Assert.Equal(LogIdentity.Another, LogIdentities.Of(assignment, Record(Next - 1, "another"), new Log(0, 20)));
        Assert.Equal(LogIdentity.Doubtful, LogIdentities.Of(assignment, Record(Next, "new"), new Log(0, 20)));
        foreach (var end in new[] { Next, Next + 4 }) // it cannot be read still, nor can what has come behind it since
            Assert.Equal(LogIdentity.Same, LogIdentities.Of(assignment, ConsumedRecord.InPlaceOf(new("notes", 1), Next - 1, end, DateTimeOffset.UtcNow), new Log(0, 20)));
    }

    /// <summary>Each by itself makes it another one.</summary>
    [Fact]
    public void A_record_is_known_by_its_offset_key_timestamp_headers_and_body()
    {
        Headers headers = [new("ce_id", [1])];
        ConsumedRecord[] records =
        [
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, headers, [1]),
            new("notes", 1, 6, "key", DateTimeOffset.UnixEpoch, headers, [1]),
            new("notes", 1, 5, "other", DateTimeOffset.UnixEpoch, headers, [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch.AddMilliseconds(1), headers, [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, [new("ce_id", [2])], [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, [new("ce_ie", [1])], [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, [new("ce_id", null)], [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, null, [1]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, headers, [2]),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, headers, []),
            new("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, headers, null),
        ];

        Assert.Equal(records.Length, records.Select(record => Convert.ToHexString(record.Fingerprint())).Distinct().Count());
        Assert.Equal(records[0].Fingerprint(), new ConsumedRecord("notes", 1, 5, "key", DateTimeOffset.UnixEpoch, [new("ce_id", [1])], [1]).Fingerprint());
        Assert.Equal(5, ConsumedRecord.OffsetOf(records[0].Fingerprint()));
    }

    private static ConsumedRecord Record(long offset, string body) => new("notes", 1, offset, "key", DateTimeOffset.UnixEpoch, null, System.Text.Encoding.UTF8.GetBytes(body));

    private sealed class Log(long first, long end) : IPartitionFeed
    {
        public (long First, long End) Bounds(TopicPartition partition) => (first, end);

        public void Seek(PartitionAssignment assignment, long start) => throw new NotSupportedException();

        public void StoreOffset(TopicPartition partition, long next) => throw new NotSupportedException();

        public long FirstSince(TopicPartition partition, DateTimeOffset since) => throw new NotSupportedException();
    }
}
