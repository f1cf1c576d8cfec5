using System.Text.Json;
using Shop.Inventory.Tests.Hosting;

namespace Shop.Inventory.Tests;

/// <summary>Letters are found however they are typed: composed or not, in either case, with their accents or without.</summary>
public sealed class SearchTests(ShopFixture shops)
{
    [Theory]
    [InlineData("crème brûlée", "CREME BRULEE")]
    [InlineData("cre\u0300me", "Crème")] // kept decomposed, sought composed
    [InlineData("Ångström", "angstrom")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("STRASSE", "straße")]
    [InlineData("ΟΔΟΣ", "οδός")]
    [InlineData("Łódź", "lodz")]
    [InlineData("Smørrebrød", "smorrebrod")]
    [InlineData("İstanbul", "istanbul")]
    [InlineData("ﬁlter", "filter")] // a ligature
    [InlineData("Ｗｉｄｅ", "wide")] // full width
    [InlineData("дворник", "ДВОРНИК")]
    [InlineData("がく", "か\u3099く")]
    public async Task A_name_is_found(string name, string search)
    {
        var shop = await shops.WithoutBrokerAsync();
        var sku = $"sought-{Guid.NewGuid():N}";
        using var created = await shop.Instance.PutProductAsync(sku, JsonSerializer.Serialize(new { name = $"{name} {sku}", description = "", price = new { amount = 1, currency = "EUR" } }));
        created.EnsureSuccessStatusCode();

        var page = await shop.Instance.GetJsonAsync($"/api/catalog?limit=100&search={Uri.EscapeDataString(search)}");
        Assert.Contains(sku, page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("sku").GetString()));
    }
}
