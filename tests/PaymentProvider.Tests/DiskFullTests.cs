using System.Net;

namespace Shop.PaymentProvider.Tests;

/// <summary>A ledger without room: payments wait for it, and none is answered that is not in it.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task Payments_wait_while_the_disk_is_full_and_are_written_once_when_there_is_room()
    {
        await using var provider = new Provider();
        var directory = Path.GetDirectoryName(provider.LedgerFile)!;
        await using var disk = await SmallDisk.MountAsync(directory, "64k");
        await provider.StartAsync();
        var first = Guid.CreateVersion7();
        using var written = await provider.AuthorizeAsync(first, "tok_visa");
        // the rest of the ledger's page has room for a few entries still
        disk.Fill();
        var waiting = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).Select(id => (Id: id, Answer: provider.AuthorizeAsync(id, "tok_visa"))).ToList();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(provider.Output.Contains("cannot be written", StringComparison.Ordinal)));
        Assert.Contains(waiting, payment => !payment.Answer.IsCompleted);

        await disk.MakeRoomAsync();
        foreach (var (_, answer) in waiting)
            Assert.Equal(HttpStatusCode.Created, (await answer).StatusCode);
        await provider.KillAsync();
        await provider.StartAsync();

        var ledger = await provider.LedgerAsync();
        Assert.Equal([first, .. waiting.Select(payment => payment.Id).Order()], [ledger[0].PaymentId, .. ledger.Skip(1).Select(entry => entry.PaymentId).Order()]);
        await provider.KillAsync();
    }
}
