using System.Text.Json.Serialization;

namespace Shop.Contracts;

/// <summary>Every topic of the shop, with the events on it and their keys. What services know of each other is here.</summary>
public static class Topics
{
    /// <summary>Orders, reservations and payments are joined by order id, so they have the same number of partitions.</summary>
    private const int JoinedPartitions = 6;

    /// <summary>The life of orders, by order id; produced by Orders.</summary>
    public static readonly Topic Orders = new Topic("orders", JoinedPartitions)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.OrderSubmitted)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentRequested)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.CancellationRequested)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.OrderDeadlinePassed)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.OrderConfirmed)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.OrderCancelled)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.OrderFulfilled);

    /// <summary>What Inventory did for orders, by order id.</summary>
    public static readonly Topic Reservations = new Topic("reservations", JoinedPartitions)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.StockReserved)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.StockRejected)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.StockReleased)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.StockDispatched);

    /// <summary>What Payments did for orders, by order id.</summary>
    public static readonly Topic Payments = new Topic("payments", JoinedPartitions)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentAuthorized)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentDeclined)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentHeld)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentCaptured)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentVoided)
        .With(e => e.OrderId.ToString(), ContractsJson.Default.PaymentRefunded);

    /// <summary>Stock levels, by sku; produced by Inventory.</summary>
    public static readonly Topic Stock = new Topic("stock", 3)
        .With(e => e.Sku, ContractsJson.Default.StockLevelChanged)
        .With(e => e.Sku, ContractsJson.Default.StockRanLow)
        .With(e => e.Sku, ContractsJson.Default.StockDiscrepancyDetected);

    /// <summary>The newest state of every product, by sku; produced by Inventory.</summary>
    public static readonly Topic Catalog = new Topic("catalog", 3, compacted: true)
        .With(e => e.Sku, ContractsJson.Default.ProductChanged);

    /// <summary>What visitors do in the shop, by visitor; collected by Activity, and kept for a week or as much as fits.</summary>
    public static readonly Topic ShopperActivity = new Topic("shopper-activity", 3, retention: new(TimeSpan.FromDays(7), 1L << 30))
        .With(e => e.VisitorId.ToString(), ContractsJson.Default.ProductViewed)
        .With(e => e.VisitorId.ToString(), ContractsJson.Default.ProductSearched)
        .With(e => e.VisitorId.ToString(), ContractsJson.Default.CartChanged)
        .With(e => e.VisitorId.ToString(), ContractsJson.Default.CheckoutStarted);

    /// <summary>What is not as it should be, by what it is about; any service may raise an alarm.</summary>
    public static readonly Topic Alarms = new Topic("alarms", 3)
        .With(e => e.Subject, ContractsJson.Default.AlarmRaised)
        .With(e => e.Subject, ContractsJson.Default.AlarmCleared);

    /// <summary>What sensors in the warehouse measure, by sensor; taken in by Inventory, and kept for a week or as much as fits.</summary>
    public static readonly Topic SensorReadings = new Topic("sensor-readings", 6, retention: new(TimeSpan.FromDays(7), 1L << 30))
        .With(e => e.Sensor, ContractsJson.Default.SensorReported);

    /// <summary>What services write to their logs (warnings and errors unless configured otherwise), by service.</summary>
    public static readonly Topic Logs = new Topic("logs", 3, retention: new(TimeSpan.FromDays(7), 1L << 30))
        .With(e => e.Service, ContractsJson.Default.LogWritten);

    /// <summary>All topics.</summary>
    public static readonly IReadOnlyList<Topic> All = [Orders, Reservations, Payments, Stock, Catalog, ShopperActivity, Alarms, SensorReadings, Logs];

    /// <summary>Topics that keep everything: what happened to orders, stock and the shop. The others are streams, which somebody else may fill.</summary>
    public static readonly IReadOnlyList<Topic> Lasting = [.. All.Where(topic => topic.Retention is null)];
}

/// <summary>Source-generated JSON of the events: camelCase, no reflection on the hot path.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(OrderSubmitted))]
[JsonSerializable(typeof(PaymentRequested))]
[JsonSerializable(typeof(CancellationRequested))]
[JsonSerializable(typeof(OrderDeadlinePassed))]
[JsonSerializable(typeof(OrderConfirmed))]
[JsonSerializable(typeof(OrderCancelled))]
[JsonSerializable(typeof(OrderFulfilled))]
[JsonSerializable(typeof(StockReserved))]
[JsonSerializable(typeof(StockRejected))]
[JsonSerializable(typeof(StockReleased))]
[JsonSerializable(typeof(StockDispatched))]
[JsonSerializable(typeof(PaymentAuthorized))]
[JsonSerializable(typeof(PaymentDeclined))]
[JsonSerializable(typeof(PaymentHeld))]
[JsonSerializable(typeof(PaymentCaptured))]
[JsonSerializable(typeof(PaymentVoided))]
[JsonSerializable(typeof(PaymentRefunded))]
[JsonSerializable(typeof(StockLevelChanged))]
[JsonSerializable(typeof(StockRanLow))]
[JsonSerializable(typeof(StockDiscrepancyDetected))]
[JsonSerializable(typeof(ProductChanged))]
[JsonSerializable(typeof(ProductViewed))]
[JsonSerializable(typeof(ProductSearched))]
[JsonSerializable(typeof(CartChanged))]
[JsonSerializable(typeof(CheckoutStarted))]
[JsonSerializable(typeof(AlarmRaised))]
[JsonSerializable(typeof(AlarmCleared))]
[JsonSerializable(typeof(SensorReported))]
[JsonSerializable(typeof(LogWritten))]
public sealed partial class ContractsJson : JsonSerializerContext;
