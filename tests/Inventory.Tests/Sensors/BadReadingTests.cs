using System.Net;
using System.Text.Json;
using Shop.Inventory.ReceivingReadings;
using Shop.Inventory.Sensors;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests.Sensors;

public sealed class BadReadingTests(ShopFixture shops)
{
    private const string Room = """{"kind":"temperature","minCelsius":2,"maxCelsius":8}""";

    [Theory]
    [InlineData("bad-1", """{"kind":"weight"}""", "sku,unitGrams,tareGrams")]
    [InlineData("bad-1", """{"kind":"weight","sku":"mug-blue","unitGrams":0,"tareGrams":-1}""", "unitGrams,tareGrams")]
    [InlineData("bad-1", """{"kind":"weight","sku":"mug-blue","unitGrams":350,"tareGrams":1200,"minCelsius":2}""", "minCelsius")]
    [InlineData("bad-1", """{"kind":"weight","sku":"no-such-thing","unitGrams":350,"tareGrams":1200}""", "sku")]
    [InlineData("bad-1", """{"kind":"temperature","minCelsius":8,"maxCelsius":2}""", "maxCelsius")]
    [InlineData("bad-1", """{"kind":"temperature","minCelsius":-300,"maxCelsius":300}""", "minCelsius,maxCelsius")]
    [InlineData("bad-1", """{"kind":"temperature"}""", "minCelsius,maxCelsius")]
    [InlineData("bad-1", """{"kind":"humidity"}""", "kind")]
    [InlineData("bad-1", """{"kind":0}""", "kind")]
    [InlineData("bad-1", "{}", "kind")]
    [InlineData("bad-1", """{"kind":"weight","sku":"mug-blue","unitGrams":1e999,"tareGrams":1e300}""", "unitGrams,tareGrams")]
    [InlineData("bad-1", """{"kind":"weight","sku":"mug-blue'; DROP TABLE sensors; --","unitGrams":350,"tareGrams":1200}""", "sku")]
    [InlineData("bad-1", """{"kind":"temperature","kind":"weight","minCelsius":2,"maxCelsius":8}""", "kind")]
    [InlineData("bad-1", "{", "body")]
    [InlineData("Bad_1", Room, "sensor")]
    public async Task A_bad_sensor_is_refused_by_field(string sensor, string body, string fields)
    {
        var shop = await shops.WithoutBrokerAsync();
        using var answer = await shop.Instance.SendAsync(HttpMethod.Put, $"/api/ops/sensors/{sensor}", body, TestTokens.Operator());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(fields.Split(','), (await answer.JsonAsync()).GetProperty("errors").EnumerateObject().Select(error => error.Name));
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM sensors WHERE name ILIKE 'bad%'"));
    }

    [Fact]
    public async Task A_shelf_is_weighed_by_one_sensor_which_can_be_set_up_anew_with_its_key()
    {
        var shop = await shops.WithoutBrokerAsync();
        const string Shelf = """{"kind":"weight","sku":"cap-green","unitGrams":350,"tareGrams":1200}""";
        var device = await Device.RegisterAsync(shop, "shelf-1", Shelf);
        using var second = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/sensors/shelf-2", Shelf, TestTokens.Operator());
        await Answers.AssertProblemAsync(second, HttpStatusCode.Conflict, "sku");
        using var again = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/sensors/shelf-1", Room, TestTokens.Operator());
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal("""{"sensor":"shelf-1","key":null}""", (await again.JsonAsync()).GetRawText());
        using var free = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/sensors/shelf-2", Shelf, TestTokens.Operator());
        Assert.Equal(HttpStatusCode.Created, free.StatusCode);
        Assert.Equal("temperature", (await device.ItemAsync()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Keys_are_kept_as_digests_only()
    {
        var shop = await shops.WithoutBrokerAsync();
        var device = await Device.RegisterAsync(shop, "digest", Room);
        Assert.Equal(0, await shop.ScalarAsync<long>($"SELECT count(*) FROM sensors WHERE sensors::text LIKE '%{device.Key}%' OR position('{device.Key}'::bytea IN key_digest) > 0"));
        Assert.Equal(32, await shop.ScalarAsync<int>("SELECT length(key_digest) FROM sensors WHERE name = 'digest'"));
    }

    [Fact]
    public async Task Only_operators_register_sensors()
    {
        var shop = await shops.WithoutBrokerAsync();
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Put, "/a"), (HttpMethod.Post, "/a/key"), (HttpMethod.Delete, "/a")])
        {
            using var shopper = await shop.Instance.SendAsync(method, $"/api/ops/sensors{path}", Room, TestTokens.Shopper("ada"));
            await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
        }
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Post, "/no-such-sensor/key"), (HttpMethod.Delete, "/no-such-sensor")])
        {
            using var unknown = await shop.Instance.SendAsync(method, $"/api/ops/sensors{path}", null, TestTokens.Operator());
            await Answers.AssertUnknownAsync(unknown, "no-such-sensor");
        }
    }

    [Fact]
    public async Task Only_the_sensors_own_key_writes_for_it()
    {
        var shop = await shops.WithoutBrokerAsync();
        var (one, other) = (await Device.RegisterAsync(shop, "key-one", Room), await Device.RegisterAsync(shop, "key-other", Room));
        foreach (var (sensor, key) in ((string, string?)[])[("key-one", null), ("key-one", ""), ("key-one", "x"), ("key-one", other.Key), ("no-such-sensor", one.Key), ("KEY-ONE", one.Key)])
        {
            using var answer = await Device.PostAsync(shop.Instance, sensor, key, """[{"at":"2026-11-26T10:00:00Z","celsius":5}]""");
            await Answers.AssertProblemAsync(answer, HttpStatusCode.Unauthorized, field: null);
        }
    }

    [Fact]
    public async Task Readings_that_the_broker_does_not_take_are_refused_for_now()
    {
        var shop = await shops.WithoutBrokerAsync();
        var device = await Device.RegisterAsync(shop, "no-broker", Room);
        using var answer = await Device.PostAsync(shop.Instance, "no-broker", device.Key, $$"""[{"at":"{{Device.Now:O}}","celsius":5}]""");
        await Answers.AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable, field: null);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[")]
    [InlineData("")]
    [InlineData("""[{"at":"2026-11-26T10:00:00Z","celsius":5,"celsius":6}]""")]
    [InlineData("""[{"at":"2026-11-26T10:00:00Z","celsius":NaN}]""")]
    [InlineData("""[{"at":"2026-11-26T10:00:00Z","celsius":Infinity}]""")]
    [InlineData("""[{"\ud800":1,"at":"2026-11-26T10:00:00Z","celsius":5}]""")]
    public async Task A_body_that_is_no_readings_is_refused(string body)
    {
        var shop = await shops.WithoutBrokerAsync();
        using var put = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/sensors/bodies", Room, TestTokens.Operator());
        using var key = await shop.Instance.SendAsync(HttpMethod.Post, "/api/ops/sensors/bodies/key", null, TestTokens.Operator());
        using var answer = await Device.PostAsync(shop.Instance, "bodies", (await key.JsonAsync()).GetProperty("key").GetString(), body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"celsius":5}""", "at: is missing.")]
    [InlineData("""{"at":"2026-11-26T10:00:00","celsius":5}""", "at: must end with its offset")]
    [InlineData("""{"at":"2026-11-26T10:00:00.123","celsius":5}""", "at: must end with its offset")]
    [InlineData("""{"at":"2026-11-26T10:00","celsius":5}""", "at: must end with its offset")]
    [InlineData("""{"at":"2026-11-26","celsius":5}""", "at: must end with its offset")]
    [InlineData("""{"at":null,"celsius":5}""", "at: must be an RFC 3339 time.")]
    [InlineData("""{"at":"10:00Z","celsius":5}""", "at: must be an RFC 3339 time.")]
    [InlineData("""{"at":"2026-11-26T10:00:00Z","celsius":5}""", null)]
    [InlineData("""{"at":"2026-11-26T10:00:00\u005a","celsius":5}""", null)]
    [InlineData("""{"at":"2026-11-26T12:00:00+02:00","celsius":5}""", null)]
    [InlineData("""{"at":"2026-11-26T04:30:00-05:30","celsius":5}""", null)]
    public void A_time_says_where_it_is_so_or_why_it_is_not_taken(string reading, string? refusal)
    {
        var at = new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);
        var (told, reason) = ReadingParser.Read("room", SensorKind.Temperature, JsonElement.Parse(reading), at);
        DateTimeOffset? expected = refusal is null ? at : null;
        Assert.Equal(expected, told?.At);
        Assert.StartsWith(refusal ?? "", reason ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_readings_are_taken_at_once_however_they_are_written()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        var device = await Device.RegisterAsync(shop, "thousand", """{"kind":"weight","sku":"mug-blue","unitGrams":350,"tareGrams":1200}""");
        var (from, pad) = (Device.Now.AddHours(-1), new string('0', 12));
        var readings = Enumerable.Range(0, 1_000).Select(i => $$"""{"at":"{{from.AddTicks((i * 10_000_000L) + 1):O}}", "weightGrams": 12345.{{pad}}1, "battery": 100}""");

        using var answer = await Device.PostAsync(shop.Instance, "thousand", device.Key, $"[{string.Join(", ", readings)}]");

        Assert.Equal("""{"accepted":1000,"refused":[]}""", (await answer.JsonAsync()).GetRawText());
    }

    [Fact]
    public async Task What_is_wrong_with_a_reading_is_told_by_its_place_and_the_others_are_taken()
    {
        var shop = await shops.OnAsync(Broker.Embedded);
        var device = await Device.RegisterAsync(shop, "mixed", Room);
        var now = Device.Now;
        var body = $$"""
            [{"at":"{{now:O}}","celsius":5}, {"celsius":5}, {"at":"yesterday","celsius":5}, {"at":"{{now.AddMinutes(6):O}}","celsius":5}, {"at":"{{now.AddDays(-8):O}}","celsius":5},
             {"at":"{{now:O}}"}, {"at":"{{now:O}}","celsius":"5"}, {"at":"{{now:O}}","celsius":1e300}, {"at":"{{now:O}}","weightGrams":5}, 5,
             {"at":"0001-01-01T00:00:00+14:00","celsius":5}, {"at":"9999-12-31T23:59:59.9999999-14:00","celsius":5}, {"at":"9999-12-31T23:59:59Z","celsius":5}, {"at":"\ud800-11-26T10:00:00Z","celsius":5},
             {"at":"{{now:O}}","celsius":1e400}, {"at":null,"celsius":5}, {"at":"{{now:O}}","celsius":null}, {"at":"{{now.AddMilliseconds(1):O}}","celsius":-1.5,"battery":3}]
            """;
        using var answer = await Device.PostAsync(shop.Instance, "mixed", device.Key, body);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var result = await answer.JsonAsync();
        Assert.Equal(2, result.GetProperty("accepted").GetInt32());
        Assert.Equal(
            [(1, "at"), (2, "at"), (3, "at"), (4, "at"), (5, "celsius"), (6, "celsius"), (7, "celsius"), (8, "celsius"), (9, "Must be an object."),
                (10, "at"), (11, "at"), (12, "at"), (13, "at"), (14, "celsius"), (15, "at"), (16, "celsius")],
            result.GetProperty("refused").EnumerateArray().Select(refused => (refused.GetProperty("index").GetInt32(), refused.GetProperty("reason").GetString()!.Split(':')[0])));
        await Eventually.BecomesAsync(-1.5, async () => (await device.ItemAsync()).GetProperty("lastReading") is { ValueKind: JsonValueKind.Object } last ? last.GetProperty("celsius").GetDouble() : 0);

        using var tooMany = await Device.PostAsync(shop.Instance, "mixed", device.Key, $"[{string.Join(',', Enumerable.Repeat("1", 1001))}]");
        await Answers.AssertProblemAsync(tooMany, HttpStatusCode.BadRequest, "body");
    }
}
