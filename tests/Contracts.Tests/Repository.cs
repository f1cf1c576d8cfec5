using System.Runtime.CompilerServices;

namespace Shop.Contracts.Tests;

/// <summary>The committed files that the contracts are compared with.</summary>
internal static class Repository
{
    public static string GoldenDirectory => Path.Combine(ThisDirectory(), "Golden");

    public static string AsyncApiFile => Path.GetFullPath(Path.Combine(ThisDirectory(), "..", "..", "docs", "events.asyncapi.yaml"));

    public static string WarehouseDirectory => Path.GetFullPath(Path.Combine(ThisDirectory(), "..", "..", "docs", "warehouse"));

    private static string ThisDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
