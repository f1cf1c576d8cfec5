using System.Net;
using Npgsql;
using Shop.Inventory.Tests.Hosting;
using Shop.Testing;

namespace Shop.Inventory.Tests;

public sealed class ProductTests(ShopFixture shops)
{
    private const string Kettle = """{"name":"Kettle","description":"Whistles.","price":{"amount":39.5,"currency":"EUR"}}""";

    [Fact]
    public async Task A_product_is_created_and_changed()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var created = await shop.Instance.PutProductAsync("kettle", Kettle);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/api/catalog/kettle", created.Headers.Location?.ToString());
        using var same = await shop.Instance.PutProductAsync("kettle", Kettle);
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
        using var changed = await shop.Instance.PutProductAsync("kettle", Kettle.Replace("39.5", "42", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        Assert.Equal("""{"sku":"kettle","name":"Kettle","description":"Whistles.","price":{"amount":42.00,"currency":"EUR"},"available":0}""",
            (await shop.Instance.GetJsonAsync("/api/catalog/kettle")).GetRawText());
        // the product itself is captured from the database: see CatalogCaptureTests
        Assert.Equal([("shop.stock.stock-level-changed.v1", """{"sku":"kettle","onHand":0,"reserved":0,"available":0,"dispatched":0}""")], await shop.OutboxAsync("kettle"));
    }

    [Fact]
    public async Task A_change_of_a_version_that_is_gone_is_412_and_changes_nothing()
    {
        var shop = await shops.WithoutBrokerAsync();
        using var created = await shop.Instance.PutProductAsync("guarded", Kettle);
        using var read = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/products/guarded", "", TestTokens.Operator());
        using var seen = await shop.Instance.GetAsync("/api/catalog/guarded");
        var version = read.Headers.ETag!.ToString();
        Assert.Equal([version, version], new[] { created.Headers.ETag?.ToString(), seen.Headers.ETag?.ToString() });
        Assert.Equal("Kettle", (await read.JsonAsync()).GetProperty("name").GetString());

        using var first = await shop.Instance.PutProductAsync("guarded", Kettle.Replace("39.5", "41", StringComparison.Ordinal), version);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.NotEqual(version, first.Headers.ETag!.ToString());
        foreach (var stale in new[] { version, $"W/{first.Headers.ETag}", "\"x\", \"y\"" })
        {
            using var refused = await shop.Instance.PutProductAsync("guarded", Kettle.Replace("39.5", "99", StringComparison.Ordinal), stale);
            await Answers.AssertProblemAsync(refused, HttpStatusCode.PreconditionFailed, field: null);
        }
        foreach (var good in new[] { $"\"x\", {first.Headers.ETag}", "*" })
        {
            using var again = await shop.Instance.PutProductAsync("guarded", Kettle.Replace("39.5", "41", StringComparison.Ordinal), good);
            Assert.Equal((HttpStatusCode.OK, first.Headers.ETag), (again.StatusCode, again.Headers.ETag));
        }

        using var missing = await shop.Instance.PutProductAsync("guarded-missing", Kettle, "*");
        await Answers.AssertProblemAsync(missing, HttpStatusCode.PreconditionFailed, field: null);
        using var unreadable = await shop.Instance.PutProductAsync("guarded", Kettle, "version 7");
        await Answers.AssertProblemAsync(unreadable, HttpStatusCode.BadRequest, "If-Match");
        Assert.Equal(41m, await shop.ScalarAsync<decimal>("SELECT price_amount FROM products WHERE sku = 'guarded'"));
    }

    [Fact]
    public async Task Of_many_that_change_the_version_they_read_one_succeeds()
    {
        var shop = await shops.WithoutBrokerAsync();
        using var created = await shop.Instance.PutProductAsync("raced", Kettle);

        var answers = await Task.WhenAll(Enumerable.Range(1, 20).Select(price =>
            shop.Instance.PutProductAsync("raced", Kettle.Replace("39.5", $"{price}", StringComparison.Ordinal), created.Headers.ETag!.ToString())));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(19, answers.Count(answer => answer.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    [Fact]
    public async Task Many_that_create_the_same_product_create_it_once()
    {
        var shop = await shops.WithoutBrokerAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => shop.Instance.PutProductAsync("contested", Kettle)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(29, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Single(await shop.OutboxAsync("contested"));
    }

    [Theory]
    [InlineData("Upper", Kettle, "sku")]
    [InlineData("has%20space", Kettle, "sku")]
    [InlineData("umlaut-%C3%A4", Kettle, "sku")]
    [InlineData("newline%0A", Kettle, "sku")]
    [InlineData("a2345678901234567890123456789012345678901234567890123456789012345", Kettle, "sku")]
    [InlineData("bad", """{"name":" ","description":"","price":{"amount":1,"currency":"EUR"}}""", "name")]
    [InlineData("bad", """{"description":"","price":{"amount":1,"currency":"EUR"}}""", "name")]
    [InlineData("bad", """{"name":null,"description":"","price":{"amount":1,"currency":"EUR"}}""", "name")]
    [InlineData("bad", """{"name":"a\u0000b","description":"","price":{"amount":1,"currency":"EUR"}}""", "name")]
    [InlineData("bad", """{"name":"\ud800","description":"","price":{"amount":1,"currency":"EUR"}}""", "name")]
    [InlineData("bad", """{"name":"x","price":{"amount":1,"currency":"EUR"}}""", "description")]
    [InlineData("bad", """{"name":"x","description":""}""", "price")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":0,"currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":-1,"currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":1.001,"currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":1000000.01,"currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":1e300,"currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":"1","currency":"EUR"}}""", "price.amount")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":1,"currency":"USD"}}""", "price.currency")]
    [InlineData("bad", """{"name":"x","description":"","price":{"amount":1}}""", "price.currency")]
    [InlineData("bad", "[]", "body")]
    [InlineData("bad", "{", "body")]
    [InlineData("bad", "", "body")]
    [InlineData("bad", "null", "body")]
    public async Task A_bad_product_is_refused_by_field(string sku, string body, string field)
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.PutProductAsync(sku, body);
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
        Assert.Equal(0, await shop.ScalarAsync<long>("SELECT count(*) FROM products WHERE sku = 'bad'"));
    }

    [Theory]
    [InlineData("name = ''")]
    [InlineData("name = E' \\t\\u00a0\\u2003\\u3000'")]
    [InlineData("name = repeat('x', 101)")]
    [InlineData("description = repeat('x', 50001)")]
    [InlineData("price_amount = 0")]
    [InlineData("price_amount = 1000000.01")]
    [InlineData("price_amount = 'NaN'")]
    [InlineData("price_currency = 'USD'")]
    public async Task SQL_sells_nothing_that_an_operator_could_not(string change)
    {
        var shop = await shops.WithoutBrokerAsync();

        var refused = await Assert.ThrowsAsync<PostgresException>(() => shop.Database.ExecuteAsync($"UPDATE products SET {change} WHERE sku = 'lamp-desk'"));
        Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
    }

    [Fact]
    public async Task What_SQL_may_just_sell_an_operator_may_sell()
    {
        var shop = await shops.WithoutBrokerAsync();
        await shop.Instance.StockUpAsync("just-sold", 1);
        await shop.Database.ExecuteAsync("UPDATE products SET name = repeat('🫖', 60) || repeat(' ', 40), price_amount = 1000000 WHERE sku = 'just-sold'");

        using var read = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/products/just-sold", null, TestTokens.Operator());
        using var written = await shop.Instance.PutProductAsync("just-sold", await read.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, written.StatusCode);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.SendAsync(HttpMethod.Get, "/api/ops/products/unicorn", null, TestTokens.Operator());
        await Answers.AssertUnknownAsync(answer, "unicorn");
    }

    [Fact]
    public async Task Texts_have_a_longest_length()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var longName = await shop.Instance.PutProductAsync("bad", Kettle.Replace("Kettle", new string('x', 101), StringComparison.Ordinal));
        await Answers.AssertProblemAsync(longName, HttpStatusCode.BadRequest, "name");
        using var longDescription = await shop.Instance.PutProductAsync("bad", Kettle.Replace("Whistles.", new string('x', 2001), StringComparison.Ordinal));
        await Answers.AssertProblemAsync(longDescription, HttpStatusCode.BadRequest, "description");
        using var longBody = await shop.Instance.PutProductAsync("bad", Kettle.Replace("Whistles.", new string('x', 140_000), StringComparison.Ordinal));
        await Answers.AssertProblemAsync(longBody, HttpStatusCode.RequestEntityTooLarge, "body");
    }

    [Fact]
    public async Task Only_operators_change_products()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var shopper = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/products/kettle", Kettle, TestTokens.Shopper("ada"));
        await Answers.AssertProblemAsync(shopper, HttpStatusCode.Forbidden, field: null);
        using var nobody = await shop.Instance.SendAsync(HttpMethod.Put, "/api/ops/products/kettle", Kettle, token: null);
        await Answers.AssertProblemAsync(nobody, HttpStatusCode.Unauthorized, field: null);
    }
}
