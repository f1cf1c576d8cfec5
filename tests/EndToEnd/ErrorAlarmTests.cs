using System.Diagnostics;
using System.Text.Json;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>An error in a service is an operator's alarm.</summary>
public sealed class ErrorAlarmTests(ITestOutputHelper output)
{
    [Fact]
    public async Task An_error_in_Payments_is_an_alarm_with_its_line_its_trace_and_its_order()
    {
        var shop = new ShopOfOneTest();
        try
        {
            await shop.InitializeAsync();
            var ada = await Shopper.LogInAsync(shop.Gateway, "ada");
            var olga = await Shopper.LogInAsync(shop.Gateway, "olga", "operator");
            var order = await ada.SubmitOrderAsync(Shopper.Order());
            await ada.WaitForEndAsync(order, "fulfilled");

            // a request for payment that nobody can read, in a trace of its own
            var (trace, type) = (Guid.CreateVersion7().ToString("N"), Topics.Orders.Events.Single(e => e.ClrType == typeof(PaymentRequested)).Name);
            using var topics = new TopicClient(new Uri((await shop.PartsAsync()).Single(part => part.Name == "kafka").Url!).Authority);
            var watch = Stopwatch.StartNew();
            await topics.ProduceAsync(Topics.Orders, TopicClient.Message(order.ToString(), "no request"u8.ToArray(), ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", type),
                ("ce_source", "/tests"), ("ce_time", "2026-11-22T12:00:00Z"), ("traceparent", $"00-{trace}-00f067aa0ba902b7-01")));

            List<JsonElement> alarms = [];
            await Eventually.BecomesAsync(1, async () => (alarms = await AlarmsAsync()).Count);
            output.WriteLine($"An alarm after {watch.ElapsedMilliseconds} ms");
            var detail = alarms[0].GetProperty("detail").GetString()!;
            Assert.Contains("payments.", detail, StringComparison.Ordinal);
            Assert.Contains(trace, detail, StringComparison.Ordinal);
            Assert.Contains(order.ToString(), detail, StringComparison.Ordinal);
            foreach (var query in new[] { $"order={order}", $"trace={trace}" })
            {
                var line = Assert.Single((await olga.GetAsync($"/api/ops/logs?{query}&service=payments&event=RecordDeadLettered")).GetProperty("items").EnumerateArray());
                Assert.Equal(("error", trace, order), (line.GetProperty("level").GetString(), line.GetProperty("trace").GetString(), line.GetProperty("order").GetGuid()));
            }

            async Task<List<JsonElement>> AlarmsAsync() =>
                [.. (await olga.GetAsync("/api/ops/alarms?open=true")).GetProperty("items").EnumerateArray().Where(alarm => alarm.GetProperty("subject").GetString() == "payments/RecordDeadLettered").Select(alarm => alarm.Clone())];
        }
        finally
        {
            await shop.DisposeAsync();
        }
    }
}
