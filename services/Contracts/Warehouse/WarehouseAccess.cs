namespace Shop.Contracts.Warehouse;

/// <summary>
/// Keeps files where they are while somebody reads them: readers share a lock on the warehouse's folder, and who replaces files by a merged one
/// holds it alone. The system lets go of it when its holder ends, however that happens.
/// </summary>
public static class WarehouseAccess
{
    /// <summary>Engines pass over names that begin so.</summary>
    private const string LockFile = "_readers";

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits while files are being replaced, which takes moments. Until the lock is disposed of, every file that is listed can be opened.</summary>
    /// <param name="folder">The warehouse's folder, which exists.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; null where this process may not make it, and so nobody replaces files who respects it.</returns>
    public static async Task<IDisposable?> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return Open(folder, FileAccess.Read, FileShare.Read);
            }
            catch (UnauthorizedAccessException)
            {
                return null;
            }
            catch (IOException e) when (e is not DirectoryNotFoundException)
            {
                await Task.Delay(PollInterval, cancellationToken);
            }
        }
    }

    /// <summary>Waits until nobody reads, and has readers wait.</summary>
    /// <param name="folder">The warehouse's folder, which exists.</param>
    /// <param name="patience">How long it waits.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; null where somebody still reads.</returns>
    public static async Task<IDisposable?> TryReplaceAsync(string folder, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(PollInterval, cancellationToken))
        {
            try
            {
                return Open(folder, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not DirectoryNotFoundException)
            {
                if (TimeProvider.System.GetElapsedTime(began) > patience)
                    return null;
            }
        }
    }

    private static FileStream Open(string folder, FileAccess access, FileShare share) => new(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, access, share);
}
