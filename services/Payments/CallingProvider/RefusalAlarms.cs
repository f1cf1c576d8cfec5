using System.Globalization;
using Shop.Contracts;

namespace Shop.Payments.CallingProvider;

/// <summary>The alarms about payments that the provider refuses to capture, to void or to refund: one of each kind, until that was done after all or the payment has ended otherwise.</summary>
internal static class RefusalAlarms
{
    private const string Service = "payments";

    /// <summary>Raises or clears a payment's alarms, as the state says that an answer has led to.</summary>
    public static void Follow(PaymentsDb db, Payment payment, ProviderAnswer answer, DateTimeOffset now)
    {
        var money = string.Create(CultureInfo.InvariantCulture, $"{payment.Money.Amount:0.00} {payment.Currency}");
        if (payment is { State: PaymentState.Uncapturable, CaptureAlarmId: null })
            payment.CaptureAlarmId = Raise(AlarmKinds.CaptureRefused, $"{money} captured");
        else if (payment is { State: PaymentState.Voiding or PaymentState.Refunding, RefundAlarmId: null } && answer.Status == ProviderStatus.Refused)
            payment.RefundAlarmId = Raise(AlarmKinds.RefundRefused, $"{money} given back");
        else if (payment.State is PaymentState.Captured or PaymentState.Voided or PaymentState.Refunded or PaymentState.Declined)
        {
            if (payment.CaptureAlarmId is { } capture)
                Clear(capture, AlarmKinds.CaptureRefused, $"{money} captured");
            if (payment.RefundAlarmId is { } refund)
                Clear(refund, AlarmKinds.RefundRefused, $"{money} given back");
            payment.CaptureAlarmId = payment.RefundAlarmId = null;
        }

        Guid Raise(string kind, string expected)
        {
            var alarm = Guid.CreateVersion7(now);
            db.Publish(new AlarmRaised(alarm, kind, Service, payment.PaymentId.ToString(), expected, $"refused: {answer.DeclineReason ?? "no reason given"}", now), payment.CauseId, payment.TraceParent);
            return alarm;
        }

        void Clear(Guid alarm, string kind, string expected) =>
            db.Publish(new AlarmCleared(alarm, kind, Service, payment.PaymentId.ToString(), expected, payment.State.ToString().ToLowerInvariant(), now), payment.CauseId, payment.TraceParent);
    }
}
