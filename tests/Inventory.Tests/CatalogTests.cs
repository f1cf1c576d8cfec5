using System.Net;
using System.Text.Json;
using Shop.Inventory.Tests.Hosting;

namespace Shop.Inventory.Tests;

public sealed class CatalogTests(ShopFixture shops)
{
    [Fact]
    public async Task Pages_follow_each_other_by_sku()
    {
        await using var shop = await shops.StartWithoutBrokerAsync(instances: 1);
        var all = Skus(await shop.Instance.GetJsonAsync("/api/catalog?limit=100"));
        Assert.Equal(all.Order(StringComparer.Ordinal), all);

        var paged = new List<string>();
        for (string? after = null; ;)
        {
            var page = await shop.Instance.GetJsonAsync($"/api/catalog?limit=7&after={after}");
            Assert.Equal(["items", "next"], page.EnumerateObject().Select(member => member.Name));
            paged.AddRange(Skus(page));
            after = page.GetProperty("next").GetString();
            if (after is null)
                break;
        }
        Assert.Equal(all, paged);
        Assert.Equal(20, paged.Count);
    }

    [Fact]
    public async Task A_page_that_is_just_full_is_the_last()
    {
        var shop = await shops.WithoutBrokerAsync();

        Assert.Equal(JsonValueKind.Null, (await shop.Instance.GetJsonAsync("/api/catalog?limit=3&search=mug-")).GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task An_item_has_the_promised_shape()
    {
        var shop = await shops.WithoutBrokerAsync();

        var item = (await shop.Instance.GetJsonAsync("/api/catalog?search=mug-red")).GetProperty("items")[0];
        Assert.Equal(["sku", "name", "description", "price", "available"], item.EnumerateObject().Select(member => member.Name));
        Assert.Equal("""{"amount":9.90,"currency":"EUR"}""", item.GetProperty("price").GetRawText());
        Assert.Equal(item.GetRawText(), (await shop.Instance.GetJsonAsync("/api/catalog/mug-red")).GetRawText());
    }

    [Theory]
    [InlineData("MUG-BLUE", "mug-blue")] // sku, in any case
    [InlineData("Harbour BLUE", "mug-blue")] // description
    [InlineData("  blue MUG ", "mug-blue")] // name, trimmed
    [InlineData("100%", "odd-percent")]
    [InlineData("%", "odd-percent")]
    [InlineData("_", "odd-underscore")]
    [InlineData("\\", "odd-backslash")]
    [InlineData("o'clock", "odd-quote")]
    [InlineData("\"double\"", "odd-quote")]
    [InlineData("CAFÉ", "odd-accent")]
    [InlineData("cafe\u0301", "odd-accent")] // decomposed
    [InlineData("cafe", "odd-accent")] // as it is typed in a hurry
    [InlineData("'; DROP TABLE products; --", null)]
    [InlineData("nothing like it", null)]
    public async Task Searching_takes_every_character_for_itself(string search, string? found)
    {
        var shop = await shops.WithoutBrokerAsync();
        await OddProductsAsync(shop.Instance);

        var page = await shop.Instance.GetJsonAsync($"/api/catalog?limit=100&search={Uri.EscapeDataString(search)}");
        Assert.Equal(found is null ? [] : [found], Skus(page));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("search=a%00b", "search")]
    [InlineData("after=%00", "after")]
    public async Task A_bad_query_is_refused_by_name(string query, string field)
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.GetAsync($"/api/catalog?{query}");
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task A_search_too_long_is_refused()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.GetAsync($"/api/catalog?search={new string('a', 101)}");
        await Answers.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "search");
    }

    [Theory]
    [InlineData("/api/catalog/unicorn")]
    [InlineData("/api/catalog/MUG-BLUE")]
    [InlineData("/api/catalog/%25")]
    [InlineData("/api/stock/unicorn")]
    [InlineData("/api/stock/mug-blue'--")]
    public async Task What_does_not_exist_is_not_found(string path)
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.GetAsync(path);
        await Answers.AssertUnknownAsync(answer, Uri.UnescapeDataString(path.Split('/')[^1]));
    }

    [Fact]
    public async Task A_card_number_is_not_said_again()
    {
        var shop = await shops.WithoutBrokerAsync();

        using var answer = await shop.Instance.GetAsync("/api/stock/4111111111111111");
        await Answers.AssertUnknownAsync(answer, "such product");
    }

    private static List<string> Skus(JsonElement page) =>
        [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("sku").GetString()!)];

    private static async Task OddProductsAsync(InventoryInstance instance)
    {
        foreach (var (sku, name) in new[]
        {
            ("odd-percent", "100% wool"), ("odd-underscore", "snake_case"), ("odd-backslash", "back\\slash"),
            ("odd-quote", "The o'clock \"double\" clock"), ("odd-accent", "Café crème"),
        })
        {
            var body = JsonSerializer.Serialize(new { name, description = "Odd.", price = new { amount = 1, currency = "EUR" } });
            using var answer = await instance.PutProductAsync(sku, body);
            answer.EnsureSuccessStatusCode();
        }
    }
}
