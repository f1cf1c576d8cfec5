using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Orders.ReadingOrders;
using Shop.Orders.RepairingOrders;
using Shop.Orders.SearchingOrders;
using Shop.Orders.StreamingOrders;
using Shop.Orders.SubmittingOrder;
using Shop.ServiceDefaults;

namespace Shop.Orders;

/// <summary>Source-generated JSON of the requests, the answers and the stored columns.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(SubmitOrder))]
[JsonSerializable(typeof(OrderView))]
[JsonSerializable(typeof(Page<OrderView>))]
[JsonSerializable(typeof(IReadOnlyList<TimelineEvent>))]
[JsonSerializable(typeof(Page<StuckOrder>))]
[JsonSerializable(typeof(OrderRepairView))]
[JsonSerializable(typeof(Page<FoundOrder>))]
[JsonSerializable(typeof(OrderChange))]
[JsonSerializable(typeof(IReadOnlyList<OrderLine>))]
[JsonSerializable(typeof(Address))]
public sealed partial class OrdersJson : JsonSerializerContext;
