using Parquet;
using Parquet.Schema;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Tests.Warehouse;

public sealed class FileMergingTests
{
    [Fact]
    public async Task Only_files_with_the_columns_of_today_are_merged()
    {
        using var folder = new TemporaryFolder();
        var warehouse = new LocalWarehouse(folder.Path);
        await warehouse.RecoverAsync(TestContext.Current.CancellationToken);
        var today = new RowBuffer(WarehouseTable.Of("stock")).Schema;
        var files = Enumerable.Range(0, 4).Select(offset => new WarehouseFile("stock", 0, new(2026, 11, 29, 10, 0, 0, TimeSpan.Zero), offset, offset)).ToArray();
        ParquetSchema[] schemas = [today, today, new([.. today.Fields, new DataField<string>("more")]), new([.. today.Fields.Take(today.Fields.Count - 1)])];
        foreach (var (file, schema) in files.Zip(schemas))
        {
            await warehouse.WriteAsync(file, file.First, async stream =>
            {
                await using var writer = await ParquetWriter.CreateAsync(schema, stream);
            }, TestContext.Current.CancellationToken);
        }

        Assert.True(await FileMerging.AreOfTodayAsync(warehouse, files[..2], TestContext.Current.CancellationToken));
        Assert.False(await FileMerging.AreOfTodayAsync(warehouse, files[..3], TestContext.Current.CancellationToken));
        Assert.False(await FileMerging.AreOfTodayAsync(warehouse, [files[0], files[3]], TestContext.Current.CancellationToken));
    }
}
