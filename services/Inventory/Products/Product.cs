using Shop.Contracts;

namespace Shop.Inventory.Products;

/// <summary>What the shop sells.</summary>
internal sealed class Product
{
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

    /// <summary>
    /// Sku, name and description in lower case, a line each. Kept here because PostgreSQL lowers letters beyond ASCII only
    /// where its cluster's locale happens to know them.
    /// </summary>
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
        SearchText = $"{Sku}\n{name}\n{description}".ToLowerInvariant();
        ChangedAt = now;
    }

    public ProductChanged ToEvent() => new(Sku, Name, Description, Price);
}
