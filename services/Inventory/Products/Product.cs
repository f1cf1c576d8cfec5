using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;
using Shop.Contracts;
using Shop.Messaging.ChangeCapture;

namespace Shop.Inventory.Products;

/// <summary>What the shop sells.</summary>
internal sealed class Product
{
    /// <summary>The longest name.</summary>
    public const int MaxNameLength = 100;

    /// <summary>The highest price.</summary>
    public const int MaxPrice = 1_000_000;

    /// <summary>Orders add up their lines, so the shop has one currency.</summary>
    public const string Currency = "EUR";

    private const int VersionBytes = 12;

    // EF Core
    private Product()
    {
    }

    /// <summary>A new product.</summary>
    public Product(string sku, string name, string description, Money price, DateTimeOffset now)
    {
        Sku = sku;
        Change(name, description, price, now);
    }

    public string Sku { get; private set; } = "";

    public string Name { get; private set; } = "";

    public string Description { get; private set; } = "";

    public Money Price { get; private set; } = null!;

    /// <summary>Sku, name and description as <see cref="InventoryDb.Searchable"/> makes them, a line each; derived by the database.</summary>
    public string SearchText { get; private set; } = "";

    public DateTimeOffset ChangedAt { get; private set; }

    /// <summary>Takes new values; what is the same already is no change.</summary>
    public void Change(string name, string description, Money price, DateTimeOffset now)
    {
        if (name == Name && description == Description && price == Price)
            return;
        Name = name;
        Description = description;
        Price = price;
        ChangedAt = now;
    }

    /// <summary>Names what the product says, for <c>ETag</c> and <c>If-Match</c> (RFC 9110, section 8.8.3): the same only where all of it is the same.</summary>
    public static EntityTagHeaderValue VersionOf(string name, string description, Money price)
    {
        // lengths ahead, so that no two products run into the same text
        var text = string.Create(CultureInfo.InvariantCulture, $"{name.Length} {description.Length} {name}{description}{price.Amount:0.00}{price.Currency}");
        return new($"\"{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(..VersionBytes))}\"");
    }

    /// <summary>What a row of the table <c>products</c> tells to others.</summary>
    public static ProductChanged ToEvent(CapturedRow row) =>
        new(row.Text("sku"), row.Text("name"), row.Text("description"), new(row.Number("price_amount"), row.Text("price_currency")));
}
