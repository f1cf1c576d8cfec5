using Shop.Contracts.Warehouse;

namespace Shop.Contracts.Tests.Warehouse;

/// <summary>How events lie in the warehouse, for those who load it from elsewhere.</summary>
public sealed class WarehouseTests
{
    private const string Regenerate = "SHOP_WRITE_WAREHOUSE";

    [Fact]
    public void The_committed_statements_are_what_the_contracts_give()
    {
        foreach (var (name, generated) in WarehouseDdl.All())
        {
            var file = Path.Combine(Repository.WarehouseDirectory, name);
            if (Environment.GetEnvironmentVariable(Regenerate) is { Length: > 0 })
                File.WriteAllText(file, generated);
            Assert.True(File.Exists(file) && File.ReadAllText(file) == generated,
                $"docs/warehouse/{name} does not describe the events any more. Write it anew, and commit it, with: {Regenerate}=1 dotnet test tests/Contracts.Tests -c Release");
        }
    }

    [Fact]
    public void Fields_of_all_events_of_a_topic_are_its_columns_and_a_secret_is_none()
    {
        var columns = WarehouseTable.Of("orders").Columns.ToDictionary(column => column.Name, column => column.Type);

        Assert.Equal(WarehouseType.Text, columns["order_id"]);
        Assert.Equal(WarehouseType.Json, columns["lines"]);
        Assert.Equal(WarehouseType.Decimal, columns["total_amount"]);
        Assert.Equal(WarehouseType.Text, columns["ship_to_postal_code"]);
        Assert.Equal(WarehouseType.Timestamp, columns["submitted_at"]);
        Assert.Equal([WarehouseType.Decimal, WarehouseType.Text], [columns["amount"], columns["amount_currency"]]);
        Assert.DoesNotContain("payment_token", columns.Keys);
        Assert.All(WarehouseTable.All, table => Assert.Equal(table.Columns.Count, table.Columns.DistinctBy(column => column.Name).Count()));
        Assert.All(WarehouseTable.All, table => Assert.Equal(WarehouseTable.Envelope, table.Columns.Take(WarehouseTable.Envelope.Count)));
    }

    [Fact]
    public void A_files_path_tells_what_is_in_it()
    {
        var file = new WarehouseFile("shopper-activity", 3, new(2026, 11, 26, 10, 0, 0, TimeSpan.Zero), 17, 4711);

        Assert.Equal("topic=shopper-activity/date=2026-11-26/hour=10/shopper-activity-00003-0000000000000000017-0000000000000004711.parquet", file.Path);
        Assert.Equal(file, WarehouseFile.Parse($"/data/warehouse/{file.Path}"));
        Assert.Null(WarehouseFile.Parse(file.Path + ".tmp"));
        Assert.Null(WarehouseFile.Parse(file.Path.Replace("hour=10", "hour=99", StringComparison.Ordinal)));
        Assert.Null(WarehouseFile.Parse(file.Path.Replace("0000000000000004711", "9999999999999999999", StringComparison.Ordinal)));
    }

    [Fact]
    public void Of_a_merged_file_and_those_it_was_made_of_the_merged_one_is_current()
    {
        var hour = new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero);
        WarehouseFile[] files = [new("orders", 0, hour, 5, 9), new("orders", 0, hour, 0, 4), new("orders", 1, hour, 0, 4), new("orders", 0, hour, 10, 12), new("orders", 0, hour, 0, 9)];

        Assert.Equal([files[4], files[3], files[2]], WarehouseFile.Current(files));
    }
}
