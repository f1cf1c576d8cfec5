using System.Runtime.CompilerServices;

namespace Shop.Orders.Tests.Documentation;

/// <summary>The committed documents that are compared with the code.</summary>
internal static class Repository
{
    public static string Root => Path.GetFullPath(Path.Combine(ThisDirectory(), "..", "..", ".."));

    public static string Document(string name) => Path.Combine(Root, "docs", name);

    private static string ThisDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
