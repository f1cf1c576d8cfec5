namespace Shop.PaymentProvider;

/// <summary>All payments, rebuilt from the ledger at start; what it answers is on disk.</summary>
internal sealed class PaymentBook
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, Page> _pages = [];
    private readonly Dictionary<Guid, int> _failures = [];
    private readonly Ledger _ledger;
    private readonly TimeProvider _time;

    public PaymentBook(Ledger ledger, TimeProvider time)
    {
        _ledger = ledger;
        _time = time;
        foreach (var entry in ledger.ReadAfter(0, int.MaxValue))
            Apply(entry, Task.CompletedTask);
    }

    /// <summary>Authorises once for each <paramref name="id"/>.</summary>
    public Task<(Outcome Outcome, Payment? Payment)> AuthorizeAsync(Guid id, PaymentRequest request)
    {
        lock (_gate)
        {
            if (!_pages.ContainsKey(id) && FailsNow(id, request.Token))
                return Task.FromResult<(Outcome, Payment?)>((Outcome.Failed, null));
            return WriteAsync(id, PaymentDecider.Authorize(Find(id), id, request, _time.GetUtcNow()));
        }
    }

    /// <summary>Captures, voids or refunds.</summary>
    public Task<(Outcome Outcome, Payment? Payment)> ChangeAsync(Guid id, PaymentAction action)
    {
        lock (_gate)
            return WriteAsync(id, PaymentDecider.Change(Find(id), id, action, _time.GetUtcNow()));
    }

    /// <summary>The payment as it is on disk; null where there is none.</summary>
    public async Task<Payment?> FindAsync(Guid id)
    {
        Page? page;
        lock (_gate)
            page = _pages.GetValueOrDefault(id);
        if (page is null)
            return null;
        await page.Written;
        return page.Payment;
    }

    private Payment? Find(Guid id) => _pages.GetValueOrDefault(id)?.Payment;

    private bool FailsNow(Guid id, string token)
    {
        var failures = _failures.GetValueOrDefault(id);
        if (failures >= TokenBehavior.Of(token).FailuresFirst)
        {
            _failures.Remove(id);
            return false;
        }

        _failures[id] = failures + 1;
        return true;
    }

    /// <summary>
    /// Called under the lock, so that the ledger's order is the order of the decisions; what it returns is awaited outside.
    /// An answer that repeats an earlier one waits for the earlier one's entry too: it may not be on disk yet.
    /// </summary>
    private Task<(Outcome Outcome, Payment? Payment)> WriteAsync(Guid id, Decision decision)
    {
        if (decision.Entry is { } entry)
        {
            var (numbered, written) = _ledger.Append(entry);
            Apply(numbered, written);
        }

        return _pages.TryGetValue(id, out var page) ? AnswerAsync(decision.Outcome, page) : Task.FromResult<(Outcome, Payment?)>((decision.Outcome, null));

        static async Task<(Outcome Outcome, Payment? Payment)> AnswerAsync(Outcome outcome, Page page)
        {
            await page.Written;
            return (outcome, page.Payment);
        }
    }

    private void Apply(LedgerEntry entry, Task written) =>
        _pages[entry.PaymentId] = new Page(Payment.Apply(Find(entry.PaymentId), entry), written);

    private sealed record Page(Payment Payment, Task Written);
}
