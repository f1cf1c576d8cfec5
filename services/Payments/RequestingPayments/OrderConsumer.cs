using System.Diagnostics;
using MassTransit;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.RequestingPayments;

/// <summary>
/// Screens payments, writes down what orders want of them, and nothing else: the provider is called after the commit, by
/// <see cref="CallingProvider.ProviderWorker"/>.
/// </summary>
internal sealed partial class OrderConsumer(PaymentsDb db, PaymentScreening screening, TimeProvider time, ILogger<OrderConsumer> logger)
    : IConsumer<PaymentRequested>, IConsumer<OrderConfirmed>, IConsumer<OrderCancelled>
{
    public Task Consume(ConsumeContext<PaymentRequested> context)
    {
        var request = context.Message;
        if (db.FindLoadedOf(request.OrderId) is not { } payment)
            return ScreenAsync(context);
        if (payment.PaymentId == request.PaymentId)
            return Apply(context, payment, PaymentDecider.RequestAgain(payment));
        SecondPaymentIgnored(logger, request.OrderId, payment.PaymentId, request.PaymentId);
        return Task.CompletedTask;
    }

    // an order that is cancelled before its payment was requested has none, and gets none: both come from Orders, in order
    public Task Consume(ConsumeContext<OrderConfirmed> context) =>
        db.FindLoadedOf(context.Message.OrderId) is { } payment ? Apply(context, payment, PaymentDecider.Confirm(payment)) : Task.CompletedTask;

    public Task Consume(ConsumeContext<OrderCancelled> context) =>
        db.FindLoadedOf(context.Message.OrderId) is { } payment ? Apply(context, payment, PaymentDecider.Cancel(payment)) : Task.CompletedTask;

    private async Task ScreenAsync(ConsumeContext<PaymentRequested> context)
    {
        var screened = await screening.ScreenAsync(context);
        var now = time.GetUtcNow();
        var payment = new Payment(context.Message, now, CauseOf(context), screened);
        var decision = PaymentDecider.Request(payment, screened.Assessment.Verdict);
        payment.Apply(decision, now);
        db.Payments.Add(payment);
        if (decision.Event is { } told)
            await context.Publish(told, context.CancellationToken);
    }

    private Task Apply(ConsumeContext context, Payment payment, Decision? decision)
    {
        if (decision is null)
            return Task.CompletedTask;
        payment.Apply(decision, time.GetUtcNow(), CauseOf(context));
        return decision.Event is { } told ? context.Publish(told, context.CancellationToken) : Task.CompletedTask;
    }

    private static Cause CauseOf(ConsumeContext context) =>
        new(context.MessageId!.Value, Activity.Current?.Id ?? (context.TryGetPayload<ConsumedRecord>(out var record) ? record.Event.TraceParent : null));

    [LoggerMessage(EventName = "SecondPaymentIgnored", Level = LogLevel.Warning, Message = "Order {OrderId} has payment {PaymentId}; a second one, {SecondPaymentId}, is ignored")]
    private static partial void SecondPaymentIgnored(ILogger logger, Guid orderId, Guid paymentId, Guid secondPaymentId);
}
