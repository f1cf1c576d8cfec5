using System.Diagnostics;
using Shop.Testing;

namespace Shop.EndToEnd;

/// <summary>What becomes of a shop of which a part cannot start any more, or that has no room left on its disk.</summary>
public sealed class BrokenPartTests(ITestOutputHelper output)
{
    [Long]
    [Fact]
    public async Task A_part_that_cannot_start_is_tried_again_and_again_and_the_others_go_on()
    {
        var shop = new ShopOfOneTest();
        try
        {
            await shop.InitializeAsync();
            var ada = await Shopper.LogInAsync(shop.Gateway, "ada");
            var ledger = Path.Combine(shop.Data, "payment-provider");
            Directory.Move(ledger, ledger + ".kept");
            await File.WriteAllTextAsync(ledger, "no directory", TestContext.Current.CancellationToken);
            var others = (await shop.PartsAsync()).Where(part => part.Name != "payment-provider").Select(part => (part.Name, part.Pid)).ToList();

            using (var process = Process.GetProcessById((await ProviderAsync(shop)).Pid!.Value)) process.Kill();
            await Eventually.BecomesTrueAsync(async () => await ProviderAsync(shop) is { State: "restarting", Restarts: >= 4 });

            var order = await ada.SubmitOrderAsync(Shopper.Order());
            await Eventually.BecomesAsync("reserved", () => ada.StatusAsync(order));
            Assert.Equal(others, (await shop.PartsAsync()).Where(part => part.Name != "payment-provider").Select(part => (part.Name, part.Pid)));
            var log = await File.ReadAllTextAsync(Path.Combine(shop.Data, "logs", "payment-provider.log"), TestContext.Current.CancellationToken);
            Assert.All((int[])[200, 400, 800, 1600], pause => Assert.Contains($"starting it again in {pause} ms", log));

            File.Delete(ledger);
            Directory.Move(ledger + ".kept", ledger);
            await Eventually.BecomesAsync("healthy", async () => (await ProviderAsync(shop)).State);
            await ada.WaitForEndAsync(order, "fulfilled");
        }
        finally
        {
            await shop.DisposeAsync();
        }
    }

    [Long]
    [Fact]
    public async Task A_full_disk_ends_nothing_for_good()
    {
        var directory = Directory.CreateTempSubdirectory("shop-e2e-small-");
        await using var disk = await SmallDisk.MountAsync(directory.FullName, "500m");
        var shop = new ShopOfOneTest(data: Path.Combine(directory.FullName, "shop"));
        try
        {
            await shop.InitializeAsync();
            var books = await Books.OpenAsync(shop);
            for (var i = 0; i < 20; i++) await books.PlaceOrderAsync();
            var appHost = AppHost(shop);

            disk.Fill();
            var placing = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => books.PlaceOrderAsync()));
            // a part that needs to write dies of it, and is started again, over and over
            int? orders = null;
            await Eventually.BecomesTrueAsync(async () => (orders = (await shop.PartsAsync()).Single(part => part.Name == "orders").Pid) is not null);
            using (var process = Process.GetProcessById(orders!.Value)) process.Kill();
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < TimeSpan.FromSeconds(15))
            {
                Assert.Equal(appHost, AppHost(shop));
                await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
            }

            foreach (var part in await shop.PartsAsync()) output.WriteLine($"{part}");
            await disk.MakeRoomAsync();
            await placing;
            await books.CloseAsync();
            Assert.Equal(appHost, AppHost(shop));
            await Eventually.BecomesAsync("", async () => string.Join(", ", (await shop.PartsAsync()).Where(part => part.State != "healthy")));
        }
        finally
        {
            await disk.MakeRoomAsync();
            await shop.DisposeAsync();
            await disk.DisposeAsync();
            directory.Delete();
        }
    }

    private static int AppHost(ShopUnderTest shop) => shop.Processes().Single(process => process.Arguments.Contains("AppHost.dll", StringComparison.Ordinal)).Id;

    private static async Task<Part> ProviderAsync(ShopUnderTest shop) => (await shop.PartsAsync()).Single(part => part.Name == "payment-provider");
}
