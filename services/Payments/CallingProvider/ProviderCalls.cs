using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Workers;
using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.CallingProvider;

/// <summary>What a call gave: an answer, or why there is none and when to call again.</summary>
/// <param name="Payment">The payment as it was when the call was claimed.</param>
/// <param name="Answer">The provider's answer.</param>
/// <param name="Error">Why there is no answer.</param>
internal sealed record CallResult(Payment Payment, ProviderAnswer? Answer, string? Error = null);

/// <summary>The calls that are to be made, as rows of <c>payments</c> that every instance of the service shares.</summary>
internal sealed class ProviderCalls(IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Longer than a call can take, so that only a dead instance's calls are taken over.</summary>
    internal static readonly TimeSpan Lease = ProviderWorker.CallTimeout + TimeSpan.FromSeconds(2);

    /// <summary>The pauses between the calls for one payment.</summary>
    private static readonly Backoff Pauses = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));

    /// <summary>The pause after a refusal for good, of what has to be done all the same: somebody has been told, and may see to it at the provider.</summary>
    private static readonly TimeSpan RefusedPause = TimeSpan.FromMinutes(1);

    /// <summary>Takes due calls: for the time of <see cref="Lease"/> nobody else makes them.</summary>
    /// <param name="first">The most calls that were not made before, which come back with one attempt.</param>
    /// <param name="repeated">The most calls that were.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public async Task<IReadOnlyList<Payment>> ClaimAsync(int first, int repeated, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PaymentsDb>();
        var now = time.GetUtcNow();
        return await db.Payments.FromSql($"""
            WITH first AS MATERIALIZED (
              SELECT payment_id FROM payments WHERE due_at <= {now} AND attempts = 0 ORDER BY due_at LIMIT {first} FOR UPDATE SKIP LOCKED),
            repeated AS MATERIALIZED (
              SELECT payment_id FROM payments WHERE due_at <= {now} AND attempts > 0 ORDER BY due_at LIMIT {repeated} FOR UPDATE SKIP LOCKED)
            UPDATE payments SET due_at = {now + Lease}, attempts = attempts + 1, version = version + 1
            FROM (TABLE first UNION ALL TABLE repeated) due WHERE payments.payment_id = due.payment_id
            RETURNING payments.*
            """).AsNoTracking().ToListAsync(cancellationToken);
    }

    /// <summary>Writes what the calls gave, with the events, in one transaction. Where this fails, the calls are repeated when their lease has ended.</summary>
    public async Task WriteAsync(IReadOnlyList<CallResult> results, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PaymentsDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var ids = results.Select(result => result.Payment.PaymentId).Distinct().ToArray();
        await db.Payments.FromSql($"SELECT * FROM payments WHERE payment_id = ANY({ids}) ORDER BY payment_id FOR UPDATE").LoadAsync(cancellationToken);
        // what the bank refuses is a reason to look closer at what comes next
        var refused = results.Where(result => result.Answer is { Status: ProviderStatus.Declined } && result.Payment is { State: PaymentState.Authorizing, HistoryKeys: not null })
            .Select(result => result.Payment).ToList();
        await db.Histories.LoadAsync(refused.SelectMany(payment => payment.HistoryKeys!.Value.All()), cancellationToken);
        foreach (var payment in refused)
            db.Histories.Mark(payment.PaymentId, payment.HistoryKeys!.Value, ObservationMarks.Declined, time.GetUtcNow());
        foreach (var result in results)
            Write(db, result);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private void Write(PaymentsDb db, CallResult result)
    {
        var payment = db.FindLoaded(result.Payment.PaymentId)!;
        var now = time.GetUtcNow();
        if (result.Answer is { } answer && PaymentDecider.Answer(payment, result.Payment.State, answer) is { } decision
            // a later call may be under way, and be granted what this one was refused
            && (decision.State != PaymentState.Uncapturable || payment.Version == result.Payment.Version))
        {
            if (decision.Event is { } news)
                db.Publish(news, payment.CauseId, payment.TraceParent);
            payment.Apply(decision, now);
            RefusalAlarms.Follow(db, payment, answer, now);
        }
        // a later call may be under way already, or wanted for something else: then this one says nothing any more
        else if (payment.State == result.Payment.State && payment.Attempts == result.Payment.Attempts)
        {
            var isRefused = result.Answer is { Status: ProviderStatus.Refused };
            payment.Fail(result.Error ?? $"The provider answered {result.Answer!.Status} while {payment.State}", now + (isRefused ? RefusedPause : Pauses.After(payment.Attempts)));
            if (isRefused)
                RefusalAlarms.Follow(db, payment, result.Answer!, now);
        }
    }
}
