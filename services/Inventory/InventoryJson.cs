using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Inventory.BrowsingCatalog;
using Shop.Inventory.ChangingProducts;
using Shop.Inventory.ReceivingGoods;
using Shop.Inventory.Stock;
using Shop.ServiceDefaults;

namespace Shop.Inventory;

/// <summary>Source-generated JSON of the service's API and of the lines that reservations keep.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Page<CatalogItem>))]
[JsonSerializable(typeof(StockAnswer))]
[JsonSerializable(typeof(ProductRequest))]
[JsonSerializable(typeof(ProductAnswer))]
[JsonSerializable(typeof(ReceiptRequest))]
[JsonSerializable(typeof(IReadOnlyList<ReservedLine>))]
[JsonSerializable(typeof(IReadOnlyList<Shortage>))]
internal sealed partial class InventoryJson : JsonSerializerContext;
