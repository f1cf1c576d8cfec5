using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Inventory.BrowsingCatalog;
using Shop.Inventory.ChangingProducts;
using Shop.Inventory.CorrectingStock;
using Shop.Inventory.ReadingMovements;
using Shop.Inventory.ReceivingGoods;
using Shop.Inventory.ReceivingReadings;
using Shop.Inventory.RegisteringSensors;
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
[JsonSerializable(typeof(CorrectionRequest))]
[JsonSerializable(typeof(Page<MovementItem>))]
[JsonSerializable(typeof(SensorRequest))]
[JsonSerializable(typeof(SensorAnswer))]
[JsonSerializable(typeof(Page<SensorItem>))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(ReadingsAnswer))]
[JsonSerializable(typeof(IReadOnlyList<ReservedLine>))]
[JsonSerializable(typeof(IReadOnlyList<Shortage>))]
internal sealed partial class InventoryJson : JsonSerializerContext;
