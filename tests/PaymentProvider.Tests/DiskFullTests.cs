using System.Diagnostics;
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
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory), "mounting a small file system needs root");
        try
        {
            await provider.StartAsync();
            var first = Guid.CreateVersion7();
            using var written = await provider.AuthorizeAsync(first, "tok_visa");
            var filler = Path.Combine(directory, "filler");
            // the rest of the ledger's page has room for a few entries still
            await FillAsync(filler, 64 * 1024);
            var waiting = Enumerable.Range(0, 40).Select(_ => Guid.CreateVersion7()).Select(id => (Id: id, Answer: provider.AuthorizeAsync(id, "tok_visa"))).ToList();
            await Shop.Testing.Eventually.BecomesTrueAsync(() => Task.FromResult(provider.Output.Contains("cannot be written", StringComparison.Ordinal)));
            Assert.Contains(waiting, payment => !payment.Answer.IsCompleted);

            File.Delete(filler);
            foreach (var (_, answer) in waiting)
                Assert.Equal(HttpStatusCode.Created, (await answer).StatusCode);
            await provider.KillAsync();
            await provider.StartAsync();

            var ledger = await provider.LedgerAsync();
            Assert.Equal([first, .. waiting.Select(payment => payment.Id).Order()], [ledger[0].PaymentId, .. ledger.Skip(1).Select(entry => entry.PaymentId).Order()]);
            await provider.KillAsync();
        }
        finally
        {
            await Shop.Testing.Eventually.BecomesTrueAsync(() => RunAsync("umount", directory));
        }
    }

    private static async Task FillAsync(string path, int size)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var part = size; part > 0; part /= 2)
        {
            try
            {
                while (true)
                    file.Write(new byte[part]);
            }
            catch (IOException)
            {
                // no room for as much
            }
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode == 0;
    }
}
