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

        // each process exports its spans when it is due: eight events are sent, and the saga handles what comes last, the capture or the dispatch
        string[] expected =
        [
            "inventory: process orders", "orders: process payments", "orders: process reservations", "orders: process reservations", "payments: process orders",
            .. Shopper.FulfilledLife.Select(type => $"send {Topic(type)}"),
        ];
        await Eventually.BecomesAsync("", () =>
        {
            var missing = expected.ToList();
            foreach (var span in Of(order))
                missing.Remove(span.Name.StartsWith("send ", StringComparison.Ordinal) ? span.Name : $"{span.Service}: {span.Name}");
            return Task.FromResult(string.Join(", ", missing));
        });
        var trace = Assert.Single(Of(order).Select(span => span.TraceId).Distinct());
        await Eventually.BecomesAsync("gateway, inventory, orders, payment-provider, payments; 0 without their parent", () =>
            Task.FromResult($"{string.Join(", ", Spans(trace).Select(span => span.Service).Distinct().Order())}; {Unconnected(trace).Count} without their parent"));
        Assert.Equal("gateway", Assert.Single(Spans(trace), span => span.ParentId == "").Service);
    }

    private static string Topic(string type) => type.Split('-')[0] switch { "stock" => "reservations", "payment" when type != "payment-requested" => "payments", _ => "orders" };

    private IEnumerable<CollectedSpan> Of(Guid order) =>
        shop.Traces.Spans.Where(span => span.Attributes.GetValueOrDefault("messaging.kafka.message.key") == order.ToString());

    private List<CollectedSpan> Spans(string trace) => [.. shop.Traces.Spans.Where(span => span.TraceId == trace)];

    /// <summary>Spans whose parent was not exported, the root aside.</summary>
    private List<CollectedSpan> Unconnected(string trace)
    {
        var spans = Spans(trace);
        var ids = spans.Select(span => span.SpanId).ToHashSet();
        return [.. spans.Where(span => span.ParentId != "" && !ids.Contains(span.ParentId))];
    }
}
