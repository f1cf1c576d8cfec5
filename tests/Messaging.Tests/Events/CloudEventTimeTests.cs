using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Shop.Messaging.Events;

namespace Shop.Messaging.Tests.Events;

/// <summary>The time of an event, as the shop's services write it and as others may.</summary>
public sealed class CloudEventTimeTests
{
    [Theory]
    [InlineData("2026-11-22T12:00:00.123456Z", "2026-11-22T12:00:00.1234560Z")]
    [InlineData("2026-02-28T23:59:59.999999Z", "2026-02-28T23:59:59.9999990Z")]
    [InlineData("2026-11-22T12:00:00Z", "2026-11-22T12:00:00.0000000Z")]
    [InlineData("2026-11-22T12:00:00.1234567Z", "2026-11-22T12:00:00.1234567Z")]
    [InlineData("2026-11-22T14:00:00.123456+02:00", "2026-11-22T12:00:00.1234560Z")]
    // as long as ours, and not ours
    [InlineData("2026-11-22T13:00:00.1+01:00", "2026-11-22T12:00:00.1000000Z")]
    [InlineData("2026-11-22 12:00:00.123456Z", "2026-11-22T12:00:00.1234560Z")]
    public void It_is_read_as_it_was_written(string written, string expected) =>
        Assert.Equal(expected, TimeOf(written).UtcDateTime.ToString("O", CultureInfo.InvariantCulture));

    [Theory, InlineData("2026-02-29T12:00:00.123456Z"), InlineData("2026-11-22T25:00:00.123456Z"), InlineData("2026-11-22T12:00:00.12x456Z"), InlineData("yesterday"), InlineData("")]
    public void What_is_no_time_is_named(string written) =>
        Assert.Contains("ce_time", Assert.Throws<FormatException>(() => TimeOf(written)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_written_comes_back()
    {
        var time = new DateTimeOffset(2026, 11, 30, 6, 12, 13, 456, 789, TimeSpan.Zero);
        Assert.Equal(time, CloudEvent.Parse(new CloudEvent(Guid.CreateVersion7(), "test", "/test", time, "key").ToHeaders(), "key").Time);
    }

    private static DateTimeOffset TimeOf(string written) => CloudEvent.Parse(
        new Headers { { "ce_id", Encoding.UTF8.GetBytes($"{Guid.CreateVersion7()}") }, { "ce_type", "test"u8.ToArray() }, { "ce_source", "/test"u8.ToArray() }, { "ce_time", Encoding.UTF8.GetBytes(written) } }, "key").Time;
}
