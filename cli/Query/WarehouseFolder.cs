namespace Shop.Cli.Query;

/// <summary>Where the warehouse is.</summary>
internal static class WarehouseFolder
{
    /// <summary>The folder that Activity writes to: <c>Warehouse__Directory</c>, or that of the shop's data.</summary>
    /// <exception cref="CommandFailedException">There is none yet, or the files are in a bucket.</exception>
    public static string Find()
    {
        var given = Environment.GetEnvironmentVariable("Warehouse__Directory");
        // what is in the shop's folder then is what was written before
        if (string.IsNullOrEmpty(given) && Environment.GetEnvironmentVariable("Warehouse__S3__Bucket") is { Length: > 0 } bucket)
            throw new CommandFailedException($"The warehouse is in the bucket {bucket}, and ./shop query reads a folder: copy it, and name the copy in Warehouse__Directory. docs/warehouse.md has how DuckDB asks a bucket.");
        var folder = given is { Length: > 0 } ? given
            : Path.Combine(Environment.GetEnvironmentVariable("SHOP_DATA") is { Length: > 0 } data ? data : ".shop", "warehouse");
        return Directory.Exists(folder)
            ? Path.GetFullPath(folder)
            : throw new CommandFailedException($"There is no warehouse in {Path.GetFullPath(folder)}: it is written while a shop runs. Start one with ./shop up.");
    }
}
