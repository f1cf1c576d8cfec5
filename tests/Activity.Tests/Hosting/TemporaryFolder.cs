using Shop.Testing;

namespace Shop.Activity.Tests.Hosting;

/// <summary>A folder that is removed at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("shop-activity-").FullName;

    /// <summary>Removes it, when who writes there has ended.</summary>
    public void Dispose()
    {
        if (!SpinWait.SpinUntil(TryDelete, Eventually.DefaultDeadline))
            throw new TimeoutException($"Somebody still writes to {Path}");
    }

    private bool TryDelete()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
