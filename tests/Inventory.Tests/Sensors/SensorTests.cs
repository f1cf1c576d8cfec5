using System.Net;
using System.Text.Json;
using Shop.Contracts;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Sensors;

/// <summary>Sensors from their registration to their alarms: two instances, a broker, PostgreSQL.</summary>
public sealed class SensorTests(ShopFixture shops)
{
    private const string Raised = "shop.alarms.alarm-raised.v1", Cleared = "shop.alarms.alarm-cleared.v1";
    private const int Unit = 350, Tare = 1200;

    public static TheoryData<Broker> Brokers => RunningBroker.Both;

    [Theory, MemberData(nameof(Brokers))]
    public async Task Three_stolen_pieces_are_told_once_and_a_correction_ends_the_alarm(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("stolen", 100);
        using var kafka = new KafkaClient(shop.Kafka);
        var shelf = await Device.RegisterAsync(shop, "shelf-stolen", $$"""{"kind":"weight","sku":"stolen","unitGrams":{{Unit}},"tareGrams":{{Tare}}}""");
        await SettledAsync(shop);

        await shelf.SendAsync(Weight(100), Weight(100.2), Weight(99.9), Weight(97), Weight(100.1));
        await shelf.SendAsync(Weight(97.1), Weight(96.9), Weight(97), Weight(97.2));

        var detected = JsonElement.Parse((await NextOfAsync(kafka, Topics.Stock, "stolen", "shop.stock.stock-discrepancy-detected.v1")).Body);
        Assert.Equal((100, 97, "shelf-stolen"), (detected.GetProperty("expected").GetInt32(), detected.GetProperty("seen").GetInt32(), detected.GetProperty("sensor").GetString()));
        var raised = await kafka.NextAsync(Topics.Alarms, "stolen");
        var alarm = JsonElement.Parse(raised.Body);
        Assert.Equal((Raised, "stockDiscrepancy", "inventory", "100 pieces", "97 pieces (35115 g)"), (raised.Type, Text(alarm, "kind"), Text(alarm, "service"), Text(alarm, "expected"), Text(alarm, "seen")));
        await Eventually.BecomesAsync("alarm", async () => Text(await shelf.ItemAsync(), "state"));

        using var corrected = await shop.Instance.PostCorrectionAsync("stolen", "stolen-1", """{"onHand":97,"reason":"three were stolen"}""");
        Assert.Equal(HttpStatusCode.OK, corrected.StatusCode);
        await shelf.SendAsync(Weight(97.1), Weight(97), Weight(96.9));
        var cleared = await kafka.NextAsync(Topics.Alarms, "stolen");
        Assert.Equal((Cleared, Text(alarm, "alarmId")), (cleared.Type, Text(JsonElement.Parse(cleared.Body), "alarmId")));
        await Eventually.BecomesAsync("ok", async () => Text(await shelf.ItemAsync(), "state"));
        Assert.Empty(await AlarmsAsync(kafka, "stolen"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task What_an_order_has_just_taken_is_no_theft(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        await shop.Instance.StockUpAsync("sold", 100);
        using var kafka = new KafkaClient(shop.Kafka);
        var shelf = await Device.RegisterAsync(shop, "shelf-sold", $$"""{"kind":"weight","sku":"sold","unitGrams":{{Unit}},"tareGrams":{{Tare}}}""");
        var order = Guid.CreateVersion7();
        await kafka.PublishAsync(Events.Submitted(order, ("sold", 4)));
        await kafka.PublishAsync(new OrderConfirmed(order));
        await Eventually.BecomesAsync(96, async () => (await shop.Instance.GetJsonAsync("/api/stock/sold")).Levels().OnHand);

        // some scales still show what has left, others do not any more; of the moment in which it did, whenever they are sent
        var left = new DateTimeOffset(await shop.ScalarAsync<DateTime>("SELECT max(moved_at) FROM stock_movements WHERE sku = 'sold'"));
        await shelf.SendAsync([.. ((double[])[100, 100, 100, 96, 96, 96]).Select((pieces, i) => (left.AddMilliseconds(i + 1), Weight(pieces).Value))]);
        await HandledAsync(shop, shelf, Weight(96));
        Assert.Empty(await AlarmsAsync(kafka, "sold"));
    }

    [Fact]
    public async Task A_sensor_whose_clock_is_behind_is_not_judged_and_says_so()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        var room = await Device.RegisterAsync(shop, "behind", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");

        for (var i = 0; i < 3; i++)
            await room.SendAsync((Device.Now.AddMinutes(-10).AddSeconds(i), 30));
        await Eventually.BecomesAsync("late", async () => Text(await room.ItemAsync(), "state"));
        await room.SendAsync(Temperature(5));
        await Eventually.BecomesAsync("ok", async () => Text(await room.ItemAsync(), "state"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_temperature_out_of_its_limits_is_one_alarm_whatever_comes_again_late_or_from_yesterday(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        var room = await Device.RegisterAsync(shop, "room", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        var hot = (Device.Now, 11.4);

        await room.SendAsync(Temperature(5), hot, hot, hot);
        await room.SendAsync((hot.Now.AddDays(-1), 30), (hot.Now.AddDays(-1).AddSeconds(1), 30), (hot.Now.AddSeconds(-30), 30));
        await room.SendAsync(Temperature(5), Temperature(5));
        await HandledAsync(shop, room, Temperature(5));
        Assert.Empty(await AlarmsAsync(kafka, "room"));

        var readings = new[] { Temperature(11.4), Temperature(11.5), Temperature(11.6), Temperature(7.9), Temperature(7.9), Temperature(11), Temperature(6), Temperature(6) };
        await room.SendAsync(readings);
        await room.SendAsync(readings);
        await HandledAsync(shop, room, Temperature(5));
        Assert.Equal("ok", Text(await room.ItemAsync(), "state"));
        var alarms = await AlarmsAsync(kafka, "room");
        Assert.Equal([(Raised, "11.5 °C"), (Cleared, "6.0 °C")], alarms.Select(alarm => (alarm.Type, Text(JsonElement.Parse(alarm.Body), "seen")!)));
        Assert.Single(alarms.Select(alarm => Text(JsonElement.Parse(alarm.Body), "alarmId")).Distinct());
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task A_sensor_that_falls_silent_is_one_alarm_until_it_is_heard_again(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        var quiet = await Device.RegisterAsync(shop, "quiet", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        var never = await Device.RegisterAsync(shop, "never-heard", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");

        await quiet.SendAsync(Temperature(5));
        var raised = await kafka.NextAsync(Topics.Alarms, "quiet");
        Assert.Equal((Raised, "sensorSilent"), (raised.Type, Text(JsonElement.Parse(raised.Body), "kind")));
        Assert.Equal("silent", Text(await quiet.ItemAsync(), "state"));
        // what it is for does not make it speak
        using var setUp = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/sensors/quiet", """{"kind":"temperature","minCelsius":1,"maxCelsius":9}""", TestTokens.Operator());
        Assert.Equal(HttpStatusCode.OK, setUp.StatusCode);
        Assert.Equal("silent", Text(await quiet.ItemAsync(), "state"));
        await quiet.SendAsync(Temperature(5));
        var cleared = await kafka.NextAsync(Topics.Alarms, "quiet");
        Assert.Equal((Cleared, Text(JsonElement.Parse(raised.Body), "alarmId")), (cleared.Type, Text(JsonElement.Parse(cleared.Body), "alarmId")));
        Assert.Equal("waiting", Text(await never.ItemAsync(), "state"));
    }

    [Theory, MemberData(nameof(Brokers))]
    public async Task A_sensor_that_is_removed_takes_its_alarms_with_it(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        using var kafka = new KafkaClient(shop.Kafka);
        var room = await Device.RegisterAsync(shop, "removed", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        await room.SendAsync(Temperature(30), Temperature(30));
        Assert.Equal(Raised, (await kafka.NextAsync(Topics.Alarms, "removed")).Type);

        using var removed = await shop.Instance.SendAsync(HttpMethod.Delete, "/api/ops/sensors/removed", null, TestTokens.Operator());
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        // it may have fallen silent meanwhile
        await NextOfAsync(kafka, Topics.Alarms, "removed", Cleared);
    }

    [Long]
    [Theory, MemberData(nameof(Brokers))]
    public async Task A_new_key_or_a_removal_counts_on_every_instance(Broker broker)
    {
        var shop = await shops.OnAsync(broker);
        var device = await Device.RegisterAsync(shop, "key-changes", """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""");
        foreach (var instance in shop.Instances)
            Assert.Equal(HttpStatusCode.Accepted, await device.StatusAsync(instance, device.Key, Temperature(5)));

        using var changed = await shop.Instance.SendAsync(HttpMethod.Post, "/api/ops/sensors/key-changes/key", null, TestTokens.Operator());
        var key = Text(await changed.JsonAsync(), "key")!;
        Assert.NotEqual(device.Key, key);
        foreach (var instance in shop.Instances)
        {
            await Eventually.BecomesAsync(HttpStatusCode.Unauthorized, () => device.StatusAsync(instance, device.Key, Temperature(5)));
            Assert.Equal(HttpStatusCode.Accepted, await device.StatusAsync(instance, key, Temperature(5)));
        }
        using var removed = await shop.Instance.SendAsync(HttpMethod.Delete, "/api/ops/sensors/key-changes", null, TestTokens.Operator());
        foreach (var instance in shop.Instances)
            await Eventually.BecomesAsync(HttpStatusCode.Unauthorized, () => device.StatusAsync(instance, key, Temperature(5)));
    }

    private static (DateTimeOffset At, double Value) Weight(double pieces) => (Device.Now, Math.Round(Tare + pieces * Unit));

    private static (DateTimeOffset At, double Value) Temperature(double celsius) => (Device.Now, celsius);

    /// <summary>Goods that have just arrived may not be on the shelf yet, so that a theft is told only later.</summary>
    private static Task SettledAsync(RunningInventory shop) =>
        Eventually.BecomesTrueAsync(() => shop.ScalarAsync<bool>("SELECT max(moved_at) < now() - interval '6 seconds' FROM stock_movements WHERE sku = 'stolen'"));

    /// <summary>What the device has sent was handled: what it sends behind it is known.</summary>
    private static async Task HandledAsync(RunningInventory shop, Device device, (DateTimeOffset At, double Value) reading)
    {
        await device.SendAsync(reading);
        await Eventually.BecomesAsync(reading.At, async () =>
            (await device.ItemAsync()).GetProperty("lastReading") is { ValueKind: JsonValueKind.Object } last ? last.GetProperty("at").GetDateTimeOffset() : default);
        // and what was made of the readings before is on its topic
        await Eventually.BecomesAsync(0L, () => shop.ScalarAsync<long>($"SELECT count(*) FROM outbox WHERE key = '{device.Name}'"));
    }

    /// <summary>The alarms about what a sensor measures; they fall silent here when they have done their part.</summary>
    private static async Task<List<ReadEvent>> AlarmsAsync(KafkaClient kafka, string subject) =>
        [.. (await kafka.ReadToEndAsync(Topics.Alarms, alarm => alarm.Key == subject)).Where(alarm => Text(JsonElement.Parse(alarm.Body), "kind") != "sensorSilent")];

    private static async Task<ReadEvent> NextOfAsync(KafkaClient kafka, Topic topic, string key, string type)
    {
        while (true)
        {
            if (await kafka.NextAsync(topic, key) is var read && read.Type == type)
                return read;
        }
    }

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
