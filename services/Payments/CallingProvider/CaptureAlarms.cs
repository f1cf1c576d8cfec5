using Shop.Contracts;

namespace Shop.Payments.CallingProvider;

/// <summary>The alarms about payments that the provider refuses to capture: one each, until it was captured after all or its order has ended.</summary>
internal static class CaptureAlarms
{
    private const string Service = "payments";

    /// <summary>Raises or clears a payment's alarm, as the state says that an answer has led to.</summary>
    public static void Follow(PaymentsDb db, Payment payment, ProviderAnswer answer, DateTimeOffset now)
    {
        var (subject, expected) = (payment.PaymentId.ToString(), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{payment.Money.Amount:0.00} {payment.Currency} captured"));
        if (payment is { State: PaymentState.Uncapturable, CaptureAlarmId: null })
        {
            payment.CaptureAlarmId = Guid.CreateVersion7(now);
            db.Publish(new AlarmRaised(payment.CaptureAlarmId.Value, AlarmKinds.CaptureRefused, Service, subject, expected, $"refused: {answer.DeclineReason ?? "no reason given"}", now),
                payment.CauseId, payment.TraceParent);
        }
        else if (payment.CaptureAlarmId is { } alarm && payment.State is PaymentState.Captured or PaymentState.Voided or PaymentState.Refunded or PaymentState.Declined)
        {
            payment.CaptureAlarmId = null;
            db.Publish(new AlarmCleared(alarm, AlarmKinds.CaptureRefused, Service, subject, expected, payment.State.ToString().ToLowerInvariant(), now), payment.CauseId, payment.TraceParent);
        }
    }
}
