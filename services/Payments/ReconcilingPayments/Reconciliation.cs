using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Shop.Contracts;
using Shop.Messaging.Schema;
using Shop.Payments.CallingProvider;

namespace Shop.Payments.ReconcilingPayments;

/// <summary>What the comparison of our payments with the provider's ledger found.</summary>
/// <param name="From">The payments requested from then on were compared,</param>
/// <param name="To">and before then.</param>
/// <param name="Compared">How many.</param>
/// <param name="InFlight">How many were left out since they are on their way: those are for the next time.</param>
/// <param name="Differing">How many differ.</param>
/// <param name="Differences">Those that differ; at most 1,000 of them.</param>
public sealed record ReconciliationReport(DateTimeOffset From, DateTimeOffset To, long Compared, long InFlight, long Differing, IReadOnlyList<DifferenceView> Differences);

/// <summary>A payment that is not at the provider as it is here.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="OrderId">Its order; null for one that is not known here.</param>
/// <param name="Ours">What it is here, in words.</param>
/// <param name="Theirs">What it is at the provider, in words.</param>
public sealed record DifferenceView(Guid PaymentId, Guid? OrderId, string Ours, string Theirs);

/// <summary>
/// Compares our payments with the provider's ledger. The ledger is read before our payments are, and a payment that has changed here since the reading began
/// is left out, as is one that waits for an answer, for an hour, and one that differs within a minute of its change: so what is found is a difference, and not a moment.
/// </summary>
/// <remarks>The clocks that tell are ours alone, at most that minute apart: a payment changes here after the provider has written its entry.</remarks>
internal sealed partial class Reconciliation(IServiceScopeFactory scopes, PaymentProviderClient provider, TimeProvider time, ILogger<Reconciliation> logger)
{
    private const string Service = "payments";

    /// <summary>Differences that are told in a report, and alarms that are raised or cleared in one transaction.</summary>
    private const int MostTold = 1_000;

    /// <summary>How long all payments that there are may take.</summary>
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan LargestSkew = TimeSpan.FromMinutes(1);

    /// <summary>How long a payment may be on its way: a provider that has not answered by then is asked in vain.</summary>
    private static readonly TimeSpan LongestWay = TimeSpan.FromHours(1);

    /// <summary>Compares the payments that were requested in a time.</summary>
    /// <exception cref="HttpRequestException">The provider gives no ledger.</exception>
    public async Task<ReconciliationReport> RunAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PaymentsDb>();
        db.Database.SetCommandTimeout(CommandTimeout);
        while (true)
        {
            if (await CompareAsync(db, from, to, cancellationToken) is { } report)
            {
                Reconciled(logger, report.Compared, report.InFlight, report.Differing);
                return report;
            }
        }
    }

    /// <summary>Compares and tells; null where that is to be done once more, since there may be more to tell, or the copy is not what was read any more.</summary>
    private async Task<ReconciliationReport?> CompareAsync(PaymentsDb db, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var began = time.GetUtcNow();
        var read = await ReadLedgerAsync(db, cancellationToken);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // of several comparisons at once the second sees the alarms of the first
        var copied = await db.Database.SqlQuery<long>($"SELECT sequence AS \"Value\" FROM ledger_position FOR UPDATE").ToListAsync(cancellationToken);
        // somebody else has begun anew meanwhile: what is not copied yet would differ
        if (copied.Single() < read)
            return null;
        var rows = await db.Database.SqlQuery<Row>($"""
            WITH compared AS (
              SELECT coalesce(p.payment_id, l.payment_id) AS payment_id, p.order_id, p.state, p.amount, p.currency, l.status, l.amount AS their_amount, l.currency AS their_currency, coalesce(l.captures, 0) AS captures,
                coalesce(p.changed_at >= CASE WHEN p.state IN ('authorizing', 'capturing', 'voiding', 'refunding') THEN {began - LongestWay} ELSE {began} END, false) AS in_flight,
                coalesce(p.changed_at >= {began - LargestSkew}, false) AS is_new
              FROM payments p FULL JOIN ledger_payments l ON l.payment_id = p.payment_id
              WHERE coalesce(p.requested_at, l.first_at) >= {from} AND coalesce(p.requested_at, l.first_at) < {to}
                -- what differed is looked at again, of whatever time it is
                OR coalesce(p.payment_id, l.payment_id) IN (SELECT payment_id FROM payment_differences WHERE cleared_at IS NULL)),
            differing AS (
              SELECT *, NOT in_flight AND (
                state IS NULL OR captures > 1
                OR (status IS NULL AND state NOT IN ('held', 'declined', 'voided'))
                OR (status IS NOT NULL AND NOT (status = state OR (state = 'voided' AND status = 'declined') OR (state = 'declined' AND status = 'voided')
                  -- the authorisation stands or has lapsed, of which an alarm of its own tells
                  OR (state = 'uncapturable' AND status IN ('authorized', 'declined'))))
                OR (their_amount IS NOT NULL AND (their_amount, their_currency) <> (amount, currency))) AS differs_now
              FROM compared),
            judged AS (
              SELECT *, in_flight OR differs_now AND is_new AS waits, differs_now AND NOT is_new AS differs FROM differing),
            counts AS (
              SELECT count(*) FILTER (WHERE NOT waits) AS compared, count(*) FILTER (WHERE waits) AS in_flight, count(*) FILTER (WHERE differs) AS differing FROM judged),
            told AS (
              (SELECT judged.*, alarm_id FROM judged LEFT JOIN payment_differences d ON d.payment_id = judged.payment_id AND d.cleared_at IS NULL
                WHERE differs ORDER BY alarm_id IS NOT NULL, judged.payment_id LIMIT {MostTold})
              UNION ALL
              (SELECT judged.*, alarm_id FROM judged JOIN payment_differences d ON d.payment_id = judged.payment_id AND d.cleared_at IS NULL
                WHERE NOT differs AND NOT waits LIMIT {MostTold}))
            SELECT counts.compared, counts.in_flight, differing, payment_id, order_id, state, amount, currency, status, their_amount, their_currency, coalesce(captures, 0) AS captures,
              coalesce(differs, false) AS differs, alarm_id
            FROM counts LEFT JOIN told ON true
            """).ToListAsync(cancellationToken);
        var isMore = await TellAsync(db, rows, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        var (compared, inFlight, differing) = (rows[0].Compared, rows[0].InFlight, rows[0].Differing);
        db.ChangeTracker.Clear();
        return isMore ? null : new(from, to, compared, inFlight, differing,
            [.. rows.Where(row => row.Differs).OrderBy(row => row.PaymentId).Select(row => new DifferenceView(row.PaymentId!.Value, row.OrderId, Ours(row), Theirs(row)))]);
    }

    /// <summary>Copies the ledger up to its end.</summary>
    /// <returns>The sequence of its last entry.</returns>
    private async Task<long> ReadLedgerAsync(PaymentsDb db, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await ReadPageAsync(db, cancellationToken) is { } end)
                return end;
        }
    }

    /// <summary>
    /// Copies a page of the ledger. It begins at the last entry that was copied: where that is another one, or is not there, this is another ledger, or one that
    /// has lost its end, and all of it is copied anew. The provider is asked outside of any transaction.
    /// </summary>
    /// <returns>The sequence of the last entry; null where there is another page.</returns>
    private async Task<long?> ReadPageAsync(PaymentsDb db, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync($"INSERT INTO ledger_position (id, sequence) VALUES (1, 0) ON CONFLICT DO NOTHING", cancellationToken);
        var after = await db.Database.SqlQuery<long>($"SELECT sequence AS \"Value\" FROM ledger_position").SingleAsync(cancellationToken);
        var page = await provider.ReadLedgerAsync(Math.Max(0, after - 1), cancellationToken);
        if (after > 0 && !(page.Items is [var known, ..] && known.Sequence == after && await WasReadLastAsync(db, known, cancellationToken)))
        {
            await BeginAnewAsync(db, after, cancellationToken);
            return null;
        }
        LedgerEntry[] items = [.. page.Items.Skip(after > 0 ? 1 : 0)];
        if (items is not [.., var last])
            return after;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var moved = await db.Database.ExecuteSqlAsync($"""
            UPDATE ledger_position SET sequence = {last.Sequence}, last_payment_id = {last.PaymentId}, last_kind = {last.Kind}, last_at = {last.At.ToUniversalTime()} WHERE sequence = {after}
            """, cancellationToken);
        // somebody else has copied it meanwhile: from where that is, again
        if (moved == 0)
            return null;
        // of several entries of one payment in a page the last says what it is
        var entries = items.GroupBy(entry => entry.PaymentId).Select(entries => (Newest: entries.Last(), First: entries.First(),
            Captures: entries.Count(entry => entry.Kind == "captured"), Amount: entries.LastOrDefault(entry => entry.Amount is not null))).ToList();
        await using (var command = new NpgsqlCommand("""
            INSERT INTO ledger_payments AS l (payment_id, status, amount, currency, captures, first_at) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
            ON CONFLICT (payment_id) DO UPDATE SET status = excluded.status, amount = coalesce(excluded.amount, l.amount), currency = coalesce(excluded.currency, l.currency),
              captures = l.captures + excluded.captures
            """, (NpgsqlConnection)db.Database.GetDbConnection())
        {
            Parameters =
            {
                SqlParameter.Column(entries, NpgsqlDbType.Uuid, row => row.Newest.PaymentId),
                SqlParameter.Column(entries, NpgsqlDbType.Text, row => row.Newest.Kind),
                SqlParameter.Column(entries, NpgsqlDbType.Numeric, row => row.Amount?.Amount),
                SqlParameter.Column(entries, NpgsqlDbType.Text, row => row.Amount?.Currency),
                SqlParameter.Column(entries, NpgsqlDbType.Integer, row => row.Captures),
                SqlParameter.Column(entries, NpgsqlDbType.TimestampTz, row => row.First.At.UtcDateTime),
            },
        })
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return page.Next is null ? last.Sequence : null;
    }

    /// <summary>Whether an entry is the one that was read last; where an older version has read that, whether its payment is known.</summary>
    private static Task<bool> WasReadLastAsync(PaymentsDb db, LedgerEntry entry, CancellationToken cancellationToken)
    {
        // compared by the database, which keeps fewer digits of a time than the entry has
        var at = entry.At.ToUniversalTime();
        return db.Set<LedgerPosition>().AnyAsync(position =>
            (position.LastPaymentId == entry.PaymentId && position.LastKind == entry.Kind && position.LastAt == at)
            || (position.LastPaymentId == null && db.LedgerPayments.Any(payment => payment.PaymentId == entry.PaymentId)), cancellationToken);
    }

    /// <summary>Forgets what was copied, unless somebody else is further by now. What is not in the new ledger differs, and is told payment by payment.</summary>
    private async Task BeginAnewAsync(PaymentsDb db, long after, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Database.ExecuteSqlAsync($"UPDATE ledger_position SET sequence = 0, last_payment_id = NULL, last_kind = NULL, last_at = NULL WHERE sequence = {after}", cancellationToken) == 0)
            return;
        await db.LedgerPayments.ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LedgerDiverged(logger, after);
    }

    /// <summary>One alarm for each payment that differs, until it does not any more; true where there may be more to tell.</summary>
    private async Task<bool> TellAsync(PaymentsDb db, List<Row> rows, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var untold = rows.Where(row => row is { Differs: true, AlarmId: null }).ToList();
        foreach (var row in untold)
        {
            var alarm = new PaymentDifference { AlarmId = Guid.CreateVersion7(now), PaymentId = row.PaymentId!.Value, Ours = Ours(row), Theirs = Theirs(row), FoundAt = now };
            db.PaymentDifferences.Add(alarm);
            db.Publish(new AlarmRaised(alarm.AlarmId, AlarmKinds.PaymentDiscrepancy, Service, alarm.PaymentId.ToString(), $"as here: {alarm.Ours}", $"at the provider: {alarm.Theirs}", now));
            Differs(logger, alarm.PaymentId, alarm.Ours, alarm.Theirs);
        }
        var over = rows.Where(row => row is { Differs: false, AlarmId: not null }).Select(row => row.AlarmId!.Value).ToArray();
        foreach (var alarm in await db.PaymentDifferences.Where(known => over.Contains(known.AlarmId)).ToListAsync(cancellationToken))
        {
            alarm.ClearedAt = now;
            db.Publish(new AlarmCleared(alarm.AlarmId, AlarmKinds.PaymentDiscrepancy, Service, alarm.PaymentId.ToString(), "the same here and at the provider", "the same", now));
        }
        return untold.Count == MostTold || over.Length == MostTold;
    }

    private static string Ours(Row row) => row.State is null ? "not known" : $"{row.State}, {row.Amount} {row.Currency}";

    private static string Theirs(Row row) => row.Status is null ? "not known"
        : (row.TheirAmount is null ? row.Status : $"{row.Status}, {row.TheirAmount} {row.TheirCurrency}") + (row.Captures > 1 ? $", captured {row.Captures} times" : "");

    [LoggerMessage(EventName = "PaymentsReconciled", Level = LogLevel.Information, Message = "{Compared} payments were compared with the provider's ledger, {InFlight} are on their way, {Differences} differ")]
    private static partial void Reconciled(ILogger logger, long compared, long inFlight, long differences);

    [LoggerMessage(EventName = "PaymentDiffers", Level = LogLevel.Error, Message = "Payment {PaymentId} is {Ours} here and {Theirs} at the provider")]
    private static partial void Differs(ILogger logger, Guid paymentId, string ours, string theirs);

    [LoggerMessage(EventName = "LedgerDiverged", Level = LogLevel.Error, Message = "The provider's ledger is not the one that was read up to {Sequence}: it was made anew or lost its end, and is read from its beginning")]
    private static partial void LedgerDiverged(ILogger logger, long sequence);

    /// <summary>The counts, and a payment to tell of; none where there is no such payment.</summary>
    private sealed record Row(long Compared, long InFlight, long Differing, Guid? PaymentId, Guid? OrderId, string? State, decimal? Amount, string? Currency, string? Status,
        decimal? TheirAmount, string? TheirCurrency, int Captures, bool Differs, Guid? AlarmId);
}
