using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>An order is one trace, whichever services, instances and events it passes through.</summary>
public sealed partial class TwoInstancesTests
{
    [Fact]
    public async Task One_order_is_one_trace_from_the_request_to_the_last_handler()
    {
        var ada = await Shopper.LogInAsync(shop.Gateway, "traced-ada");
        var order = await ada.SubmitOrderAsync(Shopper.Order());
        await ada.WaitForEndAsync(order, "fulfilled");

        // eight events are sent, and the saga handles what comes last: the capture or the dispatch
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Of(order).Count(span => span.Name.StartsWith("send ", StringComparison.Ordinal)) >= 8
            && Of(order).Any(span => span.Name == "process payments") && Of(order).Count(span => span.Name == "process reservations") >= 2));
        var trace = Assert.Single(Of(order).Select(span => span.TraceId).Distinct());
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Unconnected(trace).Count == 0));
        var spans = shop.Traces.Spans.Where(span => span.TraceId == trace).ToList();
        Assert.Equal(["gateway", "inventory", "orders", "payment-provider", "payments"], spans.Select(span => span.Service).Distinct().Order());
        Assert.Equal("gateway", Assert.Single(spans, span => span.ParentId == "").Service);
        Assert.Contains(spans, span => span is { Service: "inventory", Name: "process orders" });
        Assert.Contains(spans, span => span is { Service: "payments", Name: "process orders" });
        Assert.Contains(spans, span => span is { Service: "orders", Name: "process payments" });
    }

    private IEnumerable<CollectedSpan> Of(Guid order) =>
        shop.Traces.Spans.Where(span => span.Attributes.GetValueOrDefault("messaging.kafka.message.key") == order.ToString());

    /// <summary>Spans whose parent was not exported, the root aside.</summary>
    private List<CollectedSpan> Unconnected(string trace)
    {
        var spans = shop.Traces.Spans.Where(span => span.TraceId == trace).ToList();
        var ids = spans.Select(span => span.SpanId).ToHashSet();
        return [.. spans.Where(span => span.ParentId != "" && !ids.Contains(span.ParentId))];
    }
}
