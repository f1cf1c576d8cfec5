namespace Shop.Activity.Tests.Hosting;

/// <summary>A folder that is removed at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("shop-activity-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
