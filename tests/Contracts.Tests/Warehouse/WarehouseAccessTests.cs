using Shop.Contracts.Warehouse;

namespace Shop.Contracts.Tests.Warehouse;

/// <summary>The lock of those who read the warehouse's files.</summary>
public sealed class WarehouseAccessTests : IDisposable
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);

    private readonly string _folder = Directory.CreateTempSubdirectory("shop-access-").FullName;

    [Fact]
    public async Task Who_reads_waits_for_who_replaces_files_and_not_for_ever()
    {
        using (await WarehouseAccess.TryReplaceAsync(_folder, Short, TestContext.Current.CancellationToken))
            await Assert.ThrowsAsync<TimeoutException>(() => WarehouseAccess.ReadAsync(_folder, Short, TestContext.Current.CancellationToken));
        using var first = await WarehouseAccess.ReadAsync(_folder, Short, TestContext.Current.CancellationToken);
        using var second = await WarehouseAccess.ReadAsync(_folder, Short, TestContext.Current.CancellationToken);
        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(await WarehouseAccess.TryReplaceAsync(_folder, Short, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_lock_that_cannot_be_made_is_said_at_once()
    {
        // nothing can be made where a link leads nowhere but to itself
        var held = Path.Combine(_folder, "_readers");
        File.CreateSymbolicLink(held, held);
        await Assert.ThrowsAnyAsync<IOException>(() => WarehouseAccess.ReadAsync(_folder, TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<IOException>(() => WarehouseAccess.TryReplaceAsync(_folder, TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<IOException>(() => WarehouseAccess.ReadAsync(Path.Combine(_folder, "nowhere"), TestContext.Current.CancellationToken));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
