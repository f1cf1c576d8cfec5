namespace Shop.Activity.Tests.Hosting;

/// <summary>A folder that is removed at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("shop-activity-").FullName;

    public void Dispose()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                // who writes there is about to end
                Thread.Sleep(50);
            }
        }
    }
}
