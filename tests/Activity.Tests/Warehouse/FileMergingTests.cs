using System.Text;
using Parquet;
using Parquet.Schema;
using Shop.Activity.Tests.Hosting;
using Shop.Activity.Warehouse;
using Shop.Contracts.Warehouse;
using Shop.Testing;

namespace Shop.Activity.Tests.Warehouse;

public sealed class FileMergingTests
{
    private static readonly DateTimeOffset Hour = new(2026, 11, 29, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Only_files_with_the_columns_of_today_are_merged()
    {
        using var folder = new TemporaryFolder();
        var warehouse = new LocalWarehouse(folder.Path);
        await warehouse.RecoverAsync(TestContext.Current.CancellationToken);
        var today = new RowBuffer(WarehouseTable.Of("stock")).Schema;
        var files = Enumerable.Range(0, 4).Select(offset => new WarehouseFile("stock", 0, Hour, offset, offset)).ToArray();
        ParquetSchema[] schemas = [today, today, new([.. today.Fields, new DataField<string>("more")]), new([.. today.Fields.Take(today.Fields.Count - 1)])];
        foreach (var (file, schema) in files.Zip(schemas))
        {
            await warehouse.WriteAsync(file, file.First, async stream =>
            {
                await using var writer = await ParquetWriter.CreateAsync(schema, stream);
            }, TestContext.Current.CancellationToken);
        }

        var ofToday = new List<bool>();
        foreach (var file in files)
            ofToday.Add(await FileMerging.IsOfTodayAsync(warehouse, file, TestContext.Current.CancellationToken));
        Assert.Equal([true, true, false, false], ofToday);
    }

    [Long]
    [Fact]
    public async Task A_merged_file_has_every_row_in_row_groups_that_are_not_in_memory_together()
    {
        using var folder = new TemporaryFolder();
        var warehouse = new LocalWarehouse(folder.Path);
        await warehouse.RecoverAsync(TestContext.Current.CancellationToken);
        var files = Enumerable.Range(0, 3).Select(number => new WarehouseFile("stock", 0, Hour, number * 300, (number * 300) + 299)).ToArray();
        // 12 MB each
        var data = $$"""{"sku":"mug-blue","more":"{{new string('a', 40 << 10)}}"}""";
        foreach (var file in files)
            await WriteAsync(warehouse, file, data);

        var merged = await FileMerging.MergeAsync(warehouse, files, TestContext.Current.CancellationToken);
        Assert.Equal(files[0] with { Last = 899 }, merged);
        await using (var stream = await warehouse.OpenAsync(merged!, TestContext.Current.CancellationToken))
        await using (var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: TestContext.Current.CancellationToken))
            Assert.Equal(2, reader.RowGroupCount);
        var rows = await FileRows.ReadAsync(warehouse, merged!, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 900).Select(offset => (long)offset), rows.Select(row => row.Offset));
        Assert.All(rows, row => Assert.True(row.Event?.Data == data));
        Assert.Equal([merged!], WarehouseFile.In(folder.Path));
    }

    [Fact]
    public async Task Of_files_of_which_one_is_damaged_it_is_told_which_and_all_stay()
    {
        using var folder = new TemporaryFolder();
        var warehouse = new LocalWarehouse(folder.Path);
        await warehouse.RecoverAsync(TestContext.Current.CancellationToken);
        var files = Enumerable.Range(0, 3).Select(offset => new WarehouseFile("stock", 0, Hour, offset, offset)).ToArray();
        foreach (var file in files)
            await WriteAsync(warehouse, file, "{}");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, files[1].Path), "broken", TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<UnreadableFileException>(() => FileMerging.MergeAsync(warehouse, files, TestContext.Current.CancellationToken));
        Assert.Equal(files[1], failure.File);
        Assert.Equal(files, WarehouseFile.Current(WarehouseFile.In(folder.Path)));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder.Path, "_temporary")));
    }

    private static Task WriteAsync(LocalWarehouse warehouse, WarehouseFile file, string data)
    {
        var rows = new RowBuffer(WarehouseTable.Of(file.Topic));
        var headers = TopicClient.Message(null, null, ("ce_id", Guid.CreateVersion7().ToString()), ("ce_type", "any"), ("ce_source", "/tests")).Headers;
        for (var offset = file.First; offset <= file.Last; offset++)
            rows.Add(new(file.Topic, file.Partition, offset, "mug-blue", file.Hour, headers, Encoding.UTF8.GetBytes(data)));
        return warehouse.WriteAsync(file, file.First, stream => rows.WriteAsync(stream, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
    }
}
