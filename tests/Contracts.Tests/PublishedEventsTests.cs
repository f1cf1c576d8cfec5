using System.Text.Json;

namespace Shop.Contracts.Tests;

/// <summary>
/// What was published stays: other teams' readers, and the topics' own past, depend on it. A change that fails here needs a new
/// version of the event (<c>With(..., version: 2)</c>, with a golden file of its own) beside the old one.
/// </summary>
public sealed class PublishedEventsTests
{
    /// <summary>Every event that was ever published, by topic.</summary>
    private static readonly string[] Published =
    [
        "shop.orders.order-submitted.v1",
        "shop.orders.payment-requested.v1",
        "shop.orders.cancellation-requested.v1",
        "shop.orders.order-deadline-passed.v1",
        "shop.orders.order-confirmed.v1",
        "shop.orders.order-cancelled.v1",
        "shop.orders.order-fulfilled.v1",
        "shop.reservations.stock-reserved.v1",
        "shop.reservations.stock-rejected.v1",
        "shop.reservations.stock-released.v1",
        "shop.reservations.stock-dispatched.v1",
        "shop.payments.payment-authorized.v1",
        "shop.payments.payment-declined.v1",
        "shop.payments.payment-held.v1",
        "shop.payments.payment-captured.v1",
        "shop.payments.payment-voided.v1",
        "shop.payments.payment-refunded.v1",
        "shop.stock.stock-level-changed.v1",
        "shop.stock.stock-ran-low.v1",
        "shop.stock.stock-discrepancy-detected.v1",
        "shop.catalog.product-changed.v1",
        "shop.shopper-activity.product-viewed.v1",
        "shop.shopper-activity.product-searched.v1",
        "shop.shopper-activity.cart-changed.v1",
        "shop.shopper-activity.checkout-started.v1",
        "shop.alarms.alarm-raised.v1",
        "shop.alarms.alarm-cleared.v1",
        "shop.sensor-readings.sensor-reported.v1",
        "shop.logs.log-written.v1",
    ];

    private static readonly Dictionary<string, EventType> Types = Topics.All.SelectMany(topic => topic.Events).ToDictionary(type => type.Name);

    public static TheoryData<string> GoldenFiles => new(Directory.EnumerateFiles(Repository.GoldenDirectory, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)));

    [Fact]
    public void The_types_names_are_the_published_ones() => Assert.Equal(Published, Types.Keys);

    [Fact]
    public void Every_type_has_a_golden_file() =>
        Assert.Equal(Published.Order(StringComparer.Ordinal), GoldenFiles.Select(file => file.Data).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(GoldenFiles))]
    public void A_golden_event_reads_and_writes_as_it_was_published(string name)
    {
        var type = Types[name];
        var golden = File.ReadAllText(Path.Combine(Repository.GoldenDirectory, $"{name}.json"));

        var @event = JsonSerializer.Deserialize(golden, type.Json)!;
        var written = JsonSerializer.Serialize(@event, type.Json);

        Assert.IsType(type.ClrType, @event);
        using JsonDocument expected = JsonDocument.Parse(golden), actual = JsonDocument.Parse(written);
        Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), $"{name} is now written as {written}");
    }

    [Theory, MemberData(nameof(GoldenFiles))]
    public void The_key_is_the_id_of_the_aggregate(string name)
    {
        var type = Types[name];
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.GoldenDirectory, $"{name}.json")));
        var aggregate = type.Topic switch
        {
            _ when type.Topic == Topics.Stock || type.Topic == Topics.Catalog => "sku",
            _ when type.Topic == Topics.Alarms => "subject",
            _ when type.Topic == Topics.SensorReadings => "sensor",
            _ when type.Topic == Topics.ShopperActivity => "visitorId",
            _ when type.Topic == Topics.Logs => "service",
            _ => "orderId",
        };

        Assert.Equal(golden.RootElement.GetProperty(aggregate).GetString(), type.KeyOf(golden.Deserialize(type.Json)!));
    }

    [Fact]
    public void Topics_that_an_order_joins_have_the_same_number_of_partitions() =>
        Assert.Single(new[] { Topics.Orders, Topics.Reservations, Topics.Payments }.Select(topic => topic.Partitions).Distinct());

    [Fact]
    public void Only_what_others_fill_is_dropped_by_age() =>
        Assert.Equal([Topics.ShopperActivity, Topics.SensorReadings, Topics.Logs], Topics.All.Where(topic => topic.Retention is not null));

    [Fact]
    public void Only_topics_whose_newest_record_says_everything_are_compacted() =>
        Assert.Equal([Topics.Catalog], Topics.All.Where(topic => topic.Compacted));
}
