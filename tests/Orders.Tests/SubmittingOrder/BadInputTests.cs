using System.Net;
using System.Net.Http.Headers;
using System.Text;
using static Shop.Orders.Tests.Requests;

namespace Shop.Orders.Tests.SubmittingOrder;

/// <summary>Whatever is sent, the answer is a ProblemDetails that names the field, and nothing is written.</summary>
public sealed class BadInputTests(OrdersFixture fixture)
{
    public static TheoryData<string, string> BadBodies { get; } = new()
    {
        { "lines[0].sku", Body(lines: """[{"sku":"no-such-thing","quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":"mug-blue'; DROP TABLE orders; --","quantity":1}]""") },
        { "lines[1].sku", Body(lines: """[{"sku":"mug-blue","quantity":1},{"sku":"mug-blue","quantity":1}]""") },
        { "lines[1].sku", Body(lines: """[{"sku":"mug-blue","quantity":1},{"sku":"bagel","quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":"mug\u0000blue","quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":null,"quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":7,"quantity":1}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":0}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":-1}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":1000000000}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":1e99}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":1.5}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":"2"}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":null}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue"}]""") },
        { "lines", Body(lines: "[]") },
        { "lines", Body(lines: "null") },
        { "lines", Body(lines: "{}") },
        { "lines[0]", Body(lines: "[null]") },
        { "lines[0]", Body(lines: "[5]") },
        { "lines", $$"""{"payment":{"token":"tok_visa"},"shipTo":{{ShipTo}}}""" },
        { "payment", $$"""{"lines":{{Lines}},"payment":null,"shipTo":{{ShipTo}}}""" },
        { "payment.token", Body(token: "null") },
        { "payment.token", Body(token: "\"4242424242424242\"") },
        { "shipTo", Body(shipTo: "null") },
        { "shipTo.name", Body(shipTo: ShipTo.Replace("Ada", "A\\u0000da")) },
        { "shipTo.name", Body(shipTo: ShipTo.Replace("Ada", "\\ud800")) },
        { "shipTo.name", Body(shipTo: ShipTo.Replace("Ada", " ")) },
        { "shipTo.country", Body(shipTo: ShipTo.Replace("DE", "ZZ")) },
        { "shipTo.country", Body(shipTo: """{"name":"Ada","street":"Main Street 1","city":"Berlin","postalCode":"10115"}""") },
        { "lines[0].sku", Body(lines: """[{"sku":"\ud800","quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":"\udc00\ud800","quantity":1}]""") },
        { "lines[0].sku", Body(lines: """[{"sku":["mug-blue"],"quantity":1}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":99999999999999999999999999999999}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":1e-400}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":true}]""") },
        { "lines[0].quantity", Body(lines: """[{"sku":"mug-blue","quantity":1,"quantity":2}]""") },
        { "payment", Body().Replace("\"shipTo\"", "\"payment\":{\"token\":\"tok_other\"},\"shipTo\"") },
        { "payment.token", Body(token: "\"tok_visa\\u0000\"") },
        { "payment.token", Body(token: "{}") },
        { "payment.token", Body(token: new string('[', 63) + new string(']', 63)) },
        { "shipTo.name", Body(shipTo: ShipTo.Replace("Ada", "\\u0007")) },
        { "shipTo.city", Body(shipTo: ShipTo.Replace("Berlin", "Ber\\nlin")) },
        { "body", new string('[', 5_000) + new string(']', 5_000) },
        { "a", string.Concat(Enumerable.Repeat("{\"a\":", 5_000)) },
        { "body", "NaN" },
        { "body", "\"\"" },
        { "body", "" },
        { "body", "null" },
        { "body", "7" },
        { "body", "[]" },
        { "body", "not json" },
        { "body", $$"""{"lines":{{Lines}},"payment":{"token":"tok_visa"},"shipTo":{{ShipTo}}""" },
        { "body", Body() + "x" },
    };

    [Theory, MemberData(nameof(BadBodies))]
    public async Task A_bad_body_is_400_and_writes_nothing(string field, string body)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SubmitAsync(shopper, body: body);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal([field], answer.Fields);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    /// <summary>Bytes that are no UTF-8: overlong, cut off, a surrogate, and no beginning of a character at all.</summary>
    public static TheoryData<byte[]> NoUtf8 { get; } = new([0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xFF]);

    [Theory, MemberData(nameof(NoUtf8))]
    public async Task A_body_that_is_no_UTF_8_is_400_and_writes_nothing(byte[] bytes)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var parts = Body(shipTo: ShipTo.Replace("Ada", "|")).Split('|');
        var content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(parts[0]), .. bytes, .. Encoding.UTF8.GetBytes(parts[1])])
        {
            Headers = { ContentType = MediaTypeHeaderValue.Parse("application/json") },
        };

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", "key", content);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (answer.Status, answer.MediaType));
        Assert.Equal(["shipTo.name"], answer.Fields);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    [Fact]
    public async Task Odd_idempotency_keys_are_400_and_named_and_what_is_only_unusual_is_a_key()
    {
        var service = await fixture.GetAsync();
        foreach (var bad in new[] { new string('k', 129), new string('k', 20_000), "a\tb", "k\u007f" })
        {
            var shopper = NewShopper();
            var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", null, Json(Body()), ("Idempotency-Key", bad));
            Assert.True(answer.Status == HttpStatusCode.BadRequest, bad);
            Assert.Equal(["Idempotency-Key"], answer.Fields);
            Assert.Equal(0, await service.RowsOfAsync(shopper));
        }
        foreach (var unusual in new[] { "'; DROP TABLE orders; --".Replace(" ", ""), "a,b", "%00", "\"quoted\"", "{}", "~" })
        {
            var shopper = NewShopper();
            var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", null, Json(Body()), ("Idempotency-Key", unusual));
            Assert.True(answer.Status == HttpStatusCode.Accepted, $"{unusual}: {answer.Text}");
            Assert.Equal(2, await service.RowsOfAsync(shopper));
        }
    }

    [Fact]
    public async Task Two_idempotency_keys_are_400()
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", null, Json(Body()), ("Idempotency-Key", "one"), ("Idempotency-Key", "two"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(["Idempotency-Key"], answer.Fields);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("with space")]
    public async Task A_bad_idempotency_key_is_400_and_writes_nothing(string? key)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", key, Json(Body()));

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(["Idempotency-Key"], answer.Fields);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ten_megabytes_are_413_and_write_nothing(bool chunked)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var content = Json(Body(shipTo: ShipTo.Replace("Ada", new string('a', 10_000_000))));
        if (chunked)
            content = new StreamContent(new Unseekable(await content.ReadAsStreamAsync(TestContext.Current.CancellationToken))) { Headers = { ContentType = content.Headers.ContentType } };

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", "key", content);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.Status);
        Assert.Equal(["body"], answer.Fields);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    public async Task Another_content_type_is_415_and_writes_nothing(string contentType)
    {
        var service = await fixture.GetAsync();
        var shopper = NewShopper();
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body())) { Headers = { ContentType = MediaTypeHeaderValue.Parse(contentType) } };

        var answer = await service.Http.SendAsync(shopper, HttpMethod.Post, "/api/orders", "key", content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.Status);
        Assert.Equal(0, await service.RowsOfAsync(shopper));
    }

    [Fact]
    public async Task The_largest_order_is_accepted()
    {
        var service = await fixture.GetAsync();

        // 4 characters of UTF-16 in JSON escapes each: the longest form of what is allowed, and still below the body's limit
        var answer = await service.Http.SubmitAsync(NewShopper(), new string('k', 128), Body(shipTo: ShipTo.Replace("Ada", string.Concat(Enumerable.Repeat("\\u00e4", 200)))));

        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        Assert.Equal(new string('ä', 200), answer.Json.GetProperty("shipTo").GetProperty("name").GetString());
    }

    private static HttpContent Json(string body) => new StringContent(body, Encoding.UTF8, "application/json");

    /// <summary>A stream without a length, which HttpClient sends chunked.</summary>
    private sealed class Unseekable(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => throw new NotSupportedException();
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
