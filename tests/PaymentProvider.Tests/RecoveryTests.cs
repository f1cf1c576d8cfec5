using System.Net;
using System.Text;

namespace Shop.PaymentProvider.Tests;

/// <summary>What was answered is on disk: after a kill -9, and after a write that was cut off in the middle.</summary>
public sealed class RecoveryTests(Provider provider) : IClassFixture<Provider>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_answered_survives_a_kill_under_load()
    {
        var before = (await provider.LedgerAsync()).Count;
        var answered = new System.Collections.Concurrent.ConcurrentBag<Guid>();
        using var enough = new SemaphoreSlim(0);
        var clients = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                try
                {
                    var id = Guid.CreateVersion7();
                    using var response = await provider.AuthorizeAsync(id, "tok_visa");
                    response.EnsureSuccessStatusCode();
                    answered.Add(id);
                    enough.Release();
                }
                catch (Exception killed) when (killed is HttpRequestException or ObjectDisposedException or OperationCanceledException)
                {
                    return;
                }
            }
        }, Cancellation)).ToArray();
        for (var i = 0; i < 300; i++)
            Assert.True(await enough.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await provider.KillAsync();
        await Task.WhenAll(clients);
        await provider.StartAsync();

        var ledger = await provider.LedgerAsync();
        Assert.Equal(Enumerable.Range(1, ledger.Count).Select(number => (long)number), ledger.Select(entry => entry.Sequence));
        // the ledger has entries of the other tests too; those of this one are authorisations, each of a payment of its own
        var ours = ledger.Skip(before).ToList();
        Assert.Equal(ours.Count, ours.DistinctBy(entry => entry.PaymentId).Count());
        Assert.Empty(answered.Except(ours.Select(entry => entry.PaymentId)));

        // the state is rebuilt, not only the list: the same request is a repetition
        using var again = await provider.AuthorizeAsync(answered.First(), "tok_visa");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        using var captured = await provider.PostAsync(answered.First(), "capture");
        Assert.Equal(HttpStatusCode.OK, captured.StatusCode);
    }

    [Fact]
    public async Task A_torn_last_line_is_cut_and_the_next_entry_takes_its_number()
    {
        var first = Guid.CreateVersion7();
        using var authorized = await provider.AuthorizeAsync(first, "tok_visa");
        var before = await provider.LedgerAsync();
        await provider.KillAsync();
        await File.AppendAllTextAsync(provider.LedgerFile, """{"sequence":99999,"paymentId":"0197""" + new string('x', 10_000), Encoding.UTF8, Cancellation);
        await provider.StartAsync();
        Assert.Equal(before, await provider.LedgerAsync());

        using var captured = await provider.PostAsync(first, "capture");
        await provider.KillAsync();
        await provider.StartAsync();
        var after = await provider.LedgerAsync();
        Assert.Equal(before.Count + 1, after.Count);
        Assert.Equal((before.Count + 1, first, "captured"), (after[^1].Sequence, after[^1].PaymentId, after[^1].Kind));
    }

    [Fact]
    public async Task A_damaged_line_in_the_middle_is_no_crash_and_is_refused()
    {
        using var authorized = await provider.AuthorizeAsync(Guid.CreateVersion7(), "tok_visa");
        await provider.KillAsync();
        var good = await File.ReadAllBytesAsync(provider.LedgerFile, Cancellation);
        await File.WriteAllBytesAsync(provider.LedgerFile, [.. "nonsense\n"u8, .. good], Cancellation);
        try
        {
            var (exitCode, output) = await provider.RunToEndAsync();
            Assert.NotEqual(0, exitCode);
            Assert.Contains("ledger.jsonl, line 1,", output, StringComparison.Ordinal);
        }
        finally
        {
            await File.WriteAllBytesAsync(provider.LedgerFile, good, CancellationToken.None);
            await provider.StartAsync();
        }
    }
}
