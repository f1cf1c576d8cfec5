namespace Shop.Cli.Query;

/// <summary>Where the warehouse is.</summary>
internal static class WarehouseFolder
{
    /// <summary>The folder that Activity writes to: <c>Warehouse__Directory</c>, or that of the shop's data.</summary>
    /// <exception cref="CommandFailedException">There is none yet.</exception>
    public static string Find()
    {
        var folder = Environment.GetEnvironmentVariable("Warehouse__Directory") is { Length: > 0 } given ? given
            : Path.Combine(Environment.GetEnvironmentVariable("SHOP_DATA") is { Length: > 0 } data ? data : ".shop", "warehouse");
        return Directory.Exists(folder)
            ? Path.GetFullPath(folder)
            : throw new CommandFailedException($"There is no warehouse in {Path.GetFullPath(folder)}: it is written while a shop runs. Start one with ./shop up.");
    }
}
