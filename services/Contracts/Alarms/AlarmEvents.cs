namespace Shop.Contracts;

/// <summary>Something is not as it should be, and somebody should look. It is raised once, and cleared once when it is over.</summary>
/// <param name="AlarmId">This alarm; its clearing has the same.</param>
/// <param name="Kind">What is wrong, one of <see cref="AlarmKinds"/>; readers pass over what they do not know.</param>
/// <param name="Service">The service that raised it, for example <c>inventory</c>.</param>
/// <param name="Subject">What it is about: a sku, a sensor, a replication slot.</param>
/// <param name="Expected">What should be, with its unit, for people: <c>2 to 8 °C</c>.</param>
/// <param name="Seen">What was, with its unit: <c>11.4 °C</c>.</param>
/// <param name="RaisedAt">When it began, by the clock of what was observed.</param>
public sealed record AlarmRaised(Guid AlarmId, string Kind, string Service, string Subject, string Expected, string Seen, DateTimeOffset RaisedAt);

/// <summary>What an alarm was about is as it should be again.</summary>
/// <param name="AlarmId">The alarm that was raised.</param>
/// <param name="Kind">What was wrong.</param>
/// <param name="Service">The service that raised it.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Expected">What should be, with its unit.</param>
/// <param name="Seen">What is now, with its unit.</param>
/// <param name="ClearedAt">When it was over, by the clock of what was observed.</param>
public sealed record AlarmCleared(Guid AlarmId, string Kind, string Service, string Subject, string Expected, string Seen, DateTimeOffset ClearedAt);

/// <summary>What alarms are about. Services may add kinds.</summary>
public static class AlarmKinds
{
    /// <summary>The weight on a shelf is not what the stock says. Subject: the sku.</summary>
    public const string StockDiscrepancy = "stockDiscrepancy";

    /// <summary>A temperature is out of its limits. Subject: the sensor.</summary>
    public const string Temperature = "temperature";

    /// <summary>A sensor has stopped sending. Subject: the sensor.</summary>
    public const string SensorSilent = "sensorSilent";

    /// <summary>A reader of changes holds back much of a database's write-ahead log. Subject: the replication slot.</summary>
    public const string ReplicationLag = "replicationLag";

    /// <summary>A service logs errors. Subject: the service and the event name of what it logs, <c>payments/RecordDeadLettered</c>.</summary>
    public const string ErrorRate = "errorRate";

    /// <summary>A payment is not at the provider as it is here. Subject: the payment's id.</summary>
    public const string PaymentDiscrepancy = "paymentDiscrepancy";

    /// <summary>The provider refuses to capture what it has authorised. Subject: the payment's id.</summary>
    public const string CaptureRefused = "captureRefused";

    /// <summary>The provider refuses to let go of, or to give back, the amount of a cancelled order. Subject: the payment's id.</summary>
    public const string RefundRefused = "refundRefused";
}
