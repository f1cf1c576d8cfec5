using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Messaging.Kafka;
using Shop.Messaging.ShippingLogs;
using Shop.Messaging.Streams;

namespace Shop.Messaging.Tests.ShippingLogs;

/// <summary>What becomes of a line on its way to the topic.</summary>
public sealed partial class ShippedLogsTests
{
    private readonly LogQueue _queue = new();

    [Fact]
    public async Task A_line_keeps_its_fields_its_trace_and_its_exception()
    {
        using var logs = new ShippedLogs("orders", LogLevel.Warning, _queue, TimeProvider.System);
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();

        ItBroke(logs.CreateLogger("Shop.Orders.Test"), new InvalidOperationException("why"), "o-1", 3);

        var line = Assert.Single(await _queue.TakeAsync(10, TestContext.Current.CancellationToken));
        Assert.Equal(("orders", "error", "ItBroke", "Shop.Orders.Test", "Order o-1 broke after 3", 0), (line.Service, line.Level, line.EventName, line.Category, line.Message, line.Dropped));
        Assert.Equal(new Dictionary<string, string> { ["OrderId"] = "o-1", ["Attempts"] = "3" }, line.Fields);
        Assert.Equal((activity.TraceId.ToString(), activity.SpanId.ToString()), (line.TraceId, line.SpanId));
        Assert.Contains("why", line.Exception, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_waits_and_what_is_too_much_is_dropped_and_counted()
    {
        using var logs = new ShippedLogs("orders", LogLevel.Warning, _queue, TimeProvider.System);
        var logger = logs.CreateLogger("Shop.Orders.Test");

        for (var i = 0; i < LogQueue.MaxLines + 17; i++)
            Said(logger, "x");

        var taken = await _queue.TakeAsync(int.MaxValue, TestContext.Current.CancellationToken);
        Assert.Equal(LogQueue.MaxLines, taken.Count);
        Assert.Equal(17, taken[0].Dropped);
        Assert.All(taken.Skip(1), line => Assert.Equal(0, line.Dropped));
    }

    [Fact]
    public async Task What_was_dropped_is_told_until_somebody_has_heard_it()
    {
        using var logs = new ShippedLogs("orders", LogLevel.Warning, _queue, TimeProvider.System);
        var logger = logs.CreateLogger("Shop.Orders.Test");
        _queue.Drop(17);

        // the broker is away, twice
        for (var i = 0; i < 2; i++)
        {
            Said(logger, "lost");
            Said(logger, "lost");
            var lost = await _queue.TakeAsync(10, TestContext.Current.CancellationToken);
            _queue.NotTaken(lost, lost.Count);
        }
        Said(logger, "taken");
        Said(logger, "lost");
        var half = await _queue.TakeAsync(10, TestContext.Current.CancellationToken);
        Assert.Equal(17 + 4, half[0].Dropped);
        _queue.NotTaken(half, 1);
        Said(logger, "taken");
        Assert.Equal(1, Assert.Single(await _queue.TakeAsync(10, TestContext.Current.CancellationToken)).Dropped);
    }

    [Fact]
    public void What_sending_lines_says_is_not_sent()
    {
        using var logs = new ShippedLogs("orders", LogLevel.Warning, _queue, TimeProvider.System);

        Assert.False(logs.CreateLogger("Shop.Messaging.ShippingLogs.LogShipper").IsEnabled(LogLevel.Error));
        Assert.False(logs.CreateLogger("Shop.Messaging.Kafka.KafkaLog").IsEnabled(LogLevel.Error));
        Assert.False(logs.CreateLogger("Shop.Orders.Test").IsEnabled(LogLevel.Information));
        Assert.True(logs.CreateLogger("Shop.Messaging.Consuming.BatchProcessor").IsEnabled(LogLevel.Error));
    }

    [Fact]
    public async Task What_is_too_long_or_cannot_be_stored_is_cut_and_replaced()
    {
        using var logs = new ShippedLogs("orders", LogLevel.Warning, _queue, TimeProvider.System);

        Said(logs.CreateLogger("Shop.Orders.Test"), new string('x', 100_000) + "\0");

        var line = Assert.Single(await _queue.TakeAsync(10, TestContext.Current.CancellationToken));
        Assert.Equal((4_000, 1_000), (line.Message.Length, line.Fields["Text"].Length));
    }

    [Fact]
    public async Task Their_stream_ends_with_the_service()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<KafkaLog>();
        builder.AddShippingLogs(KafkaConnection.Parse("127.0.0.1:1"), new MessagingOptions("tests", "one"));
        EventStream stream;
        using (var host = builder.Build())
            stream = host.Services.GetRequiredKeyedService<EventStream>(ShippingLogsExtensions.StreamKey);

        // a client that is left to the end of the process works on while the C library is taken down
        var refused = await Assert.ThrowsAsync<EventsNotTakenException>(() => stream.PublishAsync([]));
        Assert.Contains("disposed", refused.Message, StringComparison.Ordinal);
    }

    [LoggerMessage(EventName = "ItBroke", Level = LogLevel.Error, Message = "Order {OrderId} broke after {Attempts}")]
    private static partial void ItBroke(ILogger logger, Exception exception, string orderId, int attempts);

    [LoggerMessage(EventName = "Said", Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Said(ILogger logger, string text);
}
