using Shop.Contracts;
using Shop.Inventory.ReservingStock;
using Shop.PaymentProvider;
using Shop.Payments;
using Shop.Payments.ScreeningPayments;

namespace Shop.Orders.Tests.Interleaving;

/// <summary>Inventory, Payments and the provider around their real deciders: what the consumers, the worker and the HTTP API do with them, without databases.</summary>
internal static class Neighbours
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly Cause NoCause = new(Guid.Empty, null);

    public static void InventoryHandles(World world, object @event)
    {
        var reservation = world.Reservation;
        var decision = @event switch
        {
            OrderSubmitted submitted => ReservationDecider.OnSubmitted(reservation, submitted.Lines, sku => sku == world.Stock.Sku ? world.Stock.Available : 0),
            OrderConfirmed => ReservationDecider.OnConfirmed(reservation),
            OrderCancelled => ReservationDecider.OnCancelled(reservation),
            _ => new ReservationDecision.Ignore(),
        };
        switch (decision)
        {
            case ReservationDecision.Reserve(var lines):
                world.Stock.Reserve(lines.Sum(line => line.Quantity));
                world.Reservation = new(SampleOrders.Id, ReservationStatus.Reserved, lines, [], Now);
                Publish(new StockReserved(SampleOrders.Id, lines));
                break;
            case ReservationDecision.Reject(var lines, var shortages):
                world.Reservation = new(SampleOrders.Id, ReservationStatus.Rejected, lines, shortages, Now);
                Publish(new StockRejected(SampleOrders.Id, shortages));
                break;
            case ReservationDecision.Release(var lines):
                Release(world, lines);
                break;
            case ReservationDecision.Dispatch(var lines):
                world.Stock.Dispatch(lines.Sum(line => line.Quantity));
                reservation!.End(ReservationStatus.Dispatched, Now);
                Publish(new StockDispatched(SampleOrders.Id, lines));
                break;
            case ReservationDecision.Repeat(var told):
                Publish(told);
                break;
        }

        void Publish(object e) => world.ReservationsTopic.Add(new(e));
    }

    public static void Release(World world, IReadOnlyList<ReservedLine> lines)
    {
        world.Stock.Release(lines.Sum(line => line.Quantity));
        world.Reservation!.End(ReservationStatus.Released, Now);
        world.ReservationsTopic.Add(new(new StockReleased(SampleOrders.Id, lines)));
    }

    public static void PaymentsHandles(World world, object @event)
    {
        switch (@event)
        {
            case PaymentRequested request when world.Payment is null:
                var assessment = new Assessment(world.Scenario.Held ? Verdict.Hold : Verdict.Authorize, 0, []);
                world.Payment = new(request, Now, NoCause, new(assessment, 0, default));
                Apply(world, Payments.PaymentDecider.Request(world.Payment, assessment.Verdict));
                break;
            case PaymentRequested:
                Apply(world, Payments.PaymentDecider.RequestAgain(world.Payment!));
                break;
            case OrderConfirmed when world.Payment is { } payment:
                Apply(world, Payments.PaymentDecider.Confirm(payment));
                break;
            case OrderCancelled when world.Payment is { } payment:
                Apply(world, Payments.PaymentDecider.Cancel(payment));
                break;
        }
    }

    /// <summary>An operator decides about the held payment.</summary>
    public static void Review(World world, bool approve) => Apply(world, Payments.PaymentDecider.Review(world.Payment!, approve));

    /// <summary>The worker has an answer for the call.</summary>
    public static void AnswerArrives(World world, Call call)
    {
        world.Calls.Remove(call);
        Apply(world, Payments.PaymentDecider.Answer(world.Payment!, call.Asked, call.Answer!));
    }

    /// <summary>The provider's side of a call, as its HTTP API and Payments' client of it put it.</summary>
    public static ProviderAnswer ProviderHandles(World world, PaymentState asked)
    {
        if (asked == PaymentState.Authorizing)
        {
            var request = new PaymentRequest(SampleOrders.Total.Amount, SampleOrders.Total.Currency, world.Scenario.Token, SampleOrders.Id.ToString());
            Write(world, PaymentProvider.PaymentDecider.Authorize(world.AtProvider, SampleOrders.PaymentId, request, Now));
            return world.AtProvider!.Request is null
                ? new(ProviderStatus.Declined, "voided")
                : world.AtProvider.DeclineReason is { } reason ? new(ProviderStatus.Declined, reason) : new(ProviderStatus.Authorized);
        }
        Change(world, asked switch
        {
            PaymentState.Capturing => PaymentAction.Capture,
            PaymentState.Voiding => PaymentAction.Void,
            _ => PaymentAction.Refund,
        });
        return new(Enum.Parse<ProviderStatus>(world.AtProvider!.Status.ToString()), world.AtProvider.DeclineReason);
    }

    public static void Change(World world, PaymentAction action) =>
        Write(world, PaymentProvider.PaymentDecider.Change(world.AtProvider, SampleOrders.PaymentId, action, Now));

    private static void Write(World world, PaymentProvider.Decision decision)
    {
        if (decision.Outcome is Outcome.NotFound or Outcome.KeyReused)
            throw new InvalidOperationException($"The provider answers {decision.Outcome}");
        if (decision.Entry is not { } entry)
            return;
        world.AtProvider = PaymentProvider.Payment.Apply(world.AtProvider, entry);
        world.Captures += entry.Kind == PaymentStatus.Captured ? 1 : 0;
        world.Refunds += entry.Kind == PaymentStatus.Refunded ? 1 : 0;
    }

    private static void Apply(World world, Payments.Decision? decision)
    {
        if (decision is null)
            return;
        world.Payment!.Apply(decision, Now, NoCause);
        if (decision.Event is { } told)
            world.PaymentsTopic.Add(new(told));
    }
}
