using Shop.Contracts;
using Shop.Payments.ScreeningPayments;
using static Shop.Payments.PaymentState;

namespace Shop.Payments.Tests;

/// <summary>Every state with everything that can happen in it: what is not listed as an effect must have none.</summary>
public sealed class PaymentDeciderTests
{
    private static readonly PaymentRequested Request = new(Guid.CreateVersion7(), Guid.CreateVersion7(), "ada", new(12.50m, "EUR"), "tok_visa");
    private static readonly PaymentAuthorized Authorization = new(Request.OrderId, Request.PaymentId, Request.Amount);
    private static readonly PaymentDeclined Decline = new(Request.OrderId, Request.PaymentId, "card_declined");
    private static readonly PaymentCaptured Capture = new(Request.OrderId, Request.PaymentId, Request.Amount);
    private static readonly PaymentVoided Void = new(Request.OrderId, Request.PaymentId, Request.Amount);
    private static readonly PaymentRefunded Refund = new(Request.OrderId, Request.PaymentId, Request.Amount);
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly Dictionary<(PaymentState, bool CaptureWanted), Decision> Confirmations = new()
    {
        [(Authorizing, false)] = new(Authorizing, CaptureWanted: true),
        [(Authorized, false)] = new(Capturing),
        [(Uncapturable, false)] = new(Capturing),
        // again: it is told how the payment stands
        [(Declined, false)] = new(Declined, Decline),
        [(Captured, false)] = new(Captured, Capture),
        [(Voided, false)] = new(Voided, Void),
        [(Refunded, false)] = new(Refunded, Refund),
    };

    private static readonly Dictionary<(PaymentState, bool CaptureWanted), Decision> Cancellations = new()
    {
        [(Authorizing, false)] = new(Voiding),
        [(Authorizing, true)] = new(Voiding),
        [(Authorized, false)] = new(Voiding),
        [(Capturing, false)] = new(Voiding),
        [(Uncapturable, false)] = new(Voiding),
        [(Captured, false)] = new(Refunding),
        [(Held, false)] = new(Voided, Void),
        // again: it is told how the payment stands
        [(Voided, false)] = new(Voided, Void),
        [(Refunded, false)] = new(Refunded, Refund),
    };

    private static readonly Dictionary<(PaymentState, bool CaptureWanted), Decision> RepeatedRequests = new()
    {
        [(Authorized, false)] = new(Authorized, Authorization),
        [(Uncapturable, false)] = new(Uncapturable, Authorization),
        [(Declined, false)] = new(Declined, Decline),
        [(Captured, false)] = new(Captured, Capture),
        [(Voided, false)] = new(Voided, Void),
        [(Refunded, false)] = new(Refunded, Refund),
    };

    private static readonly Dictionary<(PaymentState, bool CaptureWanted, ProviderStatus), Decision> Answers = new()
    {
        [(Authorizing, false, ProviderStatus.Authorized)] = new(Authorized, Authorization),
        [(Authorizing, true, ProviderStatus.Authorized)] = new(Capturing, Authorization),
        [(Authorizing, false, ProviderStatus.Declined)] = new(Declined, Decline),
        [(Authorizing, true, ProviderStatus.Declined)] = new(Declined, Decline),
        [(Capturing, false, ProviderStatus.Captured)] = new(Captured, Capture),
        [(Capturing, false, ProviderStatus.Refused)] = new(Uncapturable),
        [(Capturing, false, ProviderStatus.Declined)] = new(Uncapturable),
        [(Capturing, false, ProviderStatus.Voided)] = new(Voided, Void),
        [(Capturing, false, ProviderStatus.Refunded)] = new(Refunded, Refund),
        [(Voiding, false, ProviderStatus.Voided)] = new(Voided, Void),
        [(Voiding, false, ProviderStatus.Declined)] = new(Declined, Decline),
        [(Voiding, false, ProviderStatus.Captured)] = new(Refunding, Capture),
        [(Voiding, false, ProviderStatus.Refunded)] = new(Refunded, Refund),
        [(Refunding, false, ProviderStatus.Refunded)] = new(Refunded, Refund),
    };

    private static readonly IReadOnlyList<FiredRule> Rules = [new("CardTesting", 75, new Dictionary<string, double> { ["newCards"] = 5 })];
    private static readonly PaymentHeld Hold = new(Request.OrderId, Request.PaymentId, 0.75, ["CardTesting"], Rules);

    public static TheoryData<PaymentState, bool> States
    {
        get
        {
            var states = new TheoryData<PaymentState, bool>();
            foreach (var state in Enum.GetValues<PaymentState>())
                states.Add(state, false);
            states.Add(Authorizing, true);
            return states;
        }
    }

    public static TheoryData<PaymentState, bool, ProviderStatus> StatesAndAnswers
    {
        get
        {
            var cases = new TheoryData<PaymentState, bool, ProviderStatus>();
            foreach (var row in States)
            {
                foreach (var status in Enum.GetValues<ProviderStatus>())
                    cases.Add(row.Data.Item1, row.Data.Item2, status);
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(States))]
    public void When_the_order_is_confirmed(PaymentState state, bool captureWanted) =>
        Assert.Equal(Confirmations.GetValueOrDefault((state, captureWanted)), PaymentDecider.Confirm(Given(state, captureWanted)));

    [Theory, MemberData(nameof(States))]
    public void When_the_order_is_cancelled(PaymentState state, bool captureWanted) =>
        Assert.Equal(Cancellations.GetValueOrDefault((state, captureWanted)), PaymentDecider.Cancel(Given(state, captureWanted)));

    [Theory, MemberData(nameof(States))]
    public void When_the_payment_is_requested_again(PaymentState state, bool captureWanted) =>
        Assert.Equivalent(state == Held ? new(Held, Hold) : RepeatedRequests.GetValueOrDefault((state, captureWanted)),
            PaymentDecider.RequestAgain(Given(state, captureWanted)), strict: true);

    [Theory, MemberData(nameof(States))]
    public void What_is_told_again_changes_nothing_that_was_decided(PaymentState state, bool captureWanted)
    {
        foreach (var again in new[] { PaymentDecider.RequestAgain, PaymentDecider.Confirm, PaymentDecider.Cancel })
        {
            var payment = Given(state, captureWanted);
            // a cancel of what is held is no repetition: it decides
            if (again(payment) is not { Event: not null } told || (state == Held && told.State == Voided))
                continue;
            payment.Apply(told, Now.AddSeconds(1), new(Guid.CreateVersion7(), null));
            Assert.Equal((state, captureWanted, Now), (payment.State, payment.CaptureWanted, payment.ChangedAt));
            Assert.Equivalent(told, again(payment), strict: true);
        }
    }

    [Theory, MemberData(nameof(StatesAndAnswers))]
    public void When_the_provider_answers_what_it_was_asked_for(PaymentState state, bool captureWanted, ProviderStatus status) =>
        Assert.Equal(Answers.GetValueOrDefault((state, captureWanted, status)),
            PaymentDecider.Answer(Given(state, captureWanted), state, new(status, "card_declined")));

    [Theory, MemberData(nameof(StatesAndAnswers))]
    public void When_the_provider_answers_what_was_asked_in_an_earlier_state_nothing_happens(PaymentState state, bool captureWanted, ProviderStatus status)
    {
        foreach (var asked in Enum.GetValues<PaymentState>().Where(asked => asked != state))
            Assert.Null(PaymentDecider.Answer(Given(state, captureWanted), asked, new(status)));
    }

    [Fact]
    public void No_way_leads_to_a_capture_after_a_cancel()
    {
        // everything that can follow a cancel, by any order of events and answers
        var reached = new HashSet<PaymentState>();
        var waiting = new Queue<PaymentState>([Voiding, Refunding]);
        while (waiting.TryDequeue(out var state))
        {
            if (!reached.Add(state))
                continue;
            var payment = Given(state);
            var next = Enum.GetValues<ProviderStatus>().Select(status => PaymentDecider.Answer(payment, state, new(status)))
                .Append(PaymentDecider.Confirm(payment)).Append(PaymentDecider.Cancel(payment));
            foreach (var decision in next.OfType<Decision>())
                waiting.Enqueue(decision.State);
        }
        Assert.Equal([Declined, Refunded, Refunding, Voided, Voiding], reached.OrderBy(state => state.ToString()));
    }

    [Fact]
    public void A_state_that_needs_the_provider_is_due_at_once_and_an_end_never()
    {
        var payment = Given(Authorizing);
        Assert.Equal(Now, payment.DueAt);
        payment.Apply(PaymentDecider.Answer(payment, Authorizing, new(ProviderStatus.Authorized))!, Now);
        Assert.Null(payment.DueAt);
        payment.Apply(PaymentDecider.Confirm(payment)!, Now.AddSeconds(1), new(Guid.CreateVersion7(), "trace"));
        Assert.Equal(Now.AddSeconds(1), payment.DueAt);
        payment.Apply(PaymentDecider.Answer(payment, Capturing, new(ProviderStatus.Captured))!, Now);
        Assert.Null(payment.DueAt);
    }

    [Fact]
    public void A_cancel_does_not_wait_for_the_retry_of_a_call_that_failed()
    {
        var payment = Given(Authorizing);
        payment.Fail("no answer", Now.AddSeconds(5));
        payment.Apply(PaymentDecider.Cancel(payment)!, Now.AddSeconds(1), new(Guid.CreateVersion7(), null));
        Assert.Equal(Now.AddSeconds(1), payment.DueAt);
        Assert.Null(payment.LastError);
    }

    [Fact]
    public void A_confirmation_while_authorizing_leaves_the_call_in_flight_alone()
    {
        var payment = Given(Authorizing);
        payment.Fail("no answer", Now.AddSeconds(5));
        payment.Apply(PaymentDecider.Confirm(payment)!, Now.AddSeconds(1), new(Guid.CreateVersion7(), null));
        Assert.Equal(Now.AddSeconds(5), payment.DueAt);
        Assert.NotNull(payment.Token);
    }

    [Fact]
    public void A_payment_is_made_as_screening_says()
    {
        var payment = Given(Authorizing);
        Assert.Equal(new(Authorizing), PaymentDecider.Request(payment, Verdict.Authorize));
        Assert.Equivalent(new Decision(Held, Hold), PaymentDecider.Request(payment, Verdict.Hold), strict: true);
        Assert.Equal(new(Declined, Decline with { Reason = "not accepted" }), PaymentDecider.Request(payment, Verdict.Decline));
    }

    [Theory, MemberData(nameof(States))]
    public void Only_what_is_held_is_reviewed(PaymentState state, bool captureWanted)
    {
        var payment = Given(state, captureWanted);
        Assert.Equal(state == Held ? new(Authorizing) : null, PaymentDecider.Review(payment, isApproved: true));
        Assert.Equal(state == Held ? new(Declined, Decline with { Reason = "not accepted" }) : null, PaymentDecider.Review(payment, isApproved: false));
    }

    [Fact]
    public void What_is_held_keeps_its_token_until_it_is_decided()
    {
        var payment = Given(Held);
        Assert.Null(payment.DueAt);
        payment.Apply(PaymentDecider.Review(payment, isApproved: true)!, Now.AddSeconds(1));
        Assert.Equal((Authorizing, Now.AddSeconds(1), "tok_visa"), (payment.State, payment.DueAt, payment.Token));
        Assert.Null(Given(Voided).Token);
    }

    [Theory]
    [InlineData(Authorized)]
    [InlineData(Declined)]
    [InlineData(Voiding)]
    public void The_token_is_forgotten_when_it_is_not_needed_any_more(PaymentState state) => Assert.Null(Given(state).Token);

    private static Payment Given(PaymentState state, bool captureWanted = false)
    {
        var payment = new Payment(Request, Now, new(Guid.CreateVersion7(), null),
            new(new(Verdict.Hold, 0.75, Rules), 0, new(Guid.CreateVersion7(), Guid.CreateVersion7(), null, null)));
        payment.Apply(new(state, state == Declined ? Decline : null, captureWanted), Now);
        return payment;
    }
}
