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

    /// <summary>Many times as long as files are ever being replaced.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Waits while files are being replaced, which takes moments. Until the lock is disposed of, every file that is listed can be opened.</summary>
    /// <param name="folder">The warehouse's folder, which exists.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; null where this process may not make it, and so nobody replaces files who respects it.</returns>
    /// <exception cref="TimeoutException">Whoever replaces files stands still.</exception>
    /// <exception cref="IOException">The lock cannot be made.</exception>
    public static Task<IDisposable?> ReadAsync(string folder, CancellationToken cancellationToken) => ReadAsync(folder, Patience, cancellationToken);

    /// <summary>The same, with a patience of its own.</summary>
    /// <param name="folder">The warehouse's folder, which exists.</param>
    /// <param name="patience">How long it waits.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; null where this process may not make it, and so nobody replaces files who respects it.</returns>
    /// <exception cref="TimeoutException">Whoever replaces files stands still.</exception>
    /// <exception cref="IOException">The lock cannot be made.</exception>
    public static async Task<IDisposable?> ReadAsync(string folder, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(PollInterval, cancellationToken))
        {
            try
            {
                return Open(folder, FileAccess.Read, FileShare.Read);
            }
            catch (UnauthorizedAccessException)
            {
                return null;
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (TimeProvider.System.GetElapsedTime(began) > patience)
                    throw new TimeoutException($"Files in {folder} are being replaced, for longer than {patience.TotalSeconds:0} s: whoever does that stands still");
            }
        }
    }

    /// <summary>Waits until nobody reads, and has readers wait.</summary>
    /// <param name="folder">The warehouse's folder, which exists.</param>
    /// <param name="patience">How long it waits.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The lock; null where somebody still reads.</returns>
    /// <exception cref="IOException">The lock cannot be made.</exception>
    public static async Task<IDisposable?> TryReplaceAsync(string folder, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(PollInterval, cancellationToken))
        {
            try
            {
                return Open(folder, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (TimeProvider.System.GetElapsedTime(began) > patience)
                    return null;
            }
        }
    }

    /// <summary>Whether a file could not be opened because another holds it, which passes, and for no other reason: a full or read-only disk may never pass.</summary>
    /// <param name="failure">What opening it failed with.</param>
    /// <remarks>Source: .NET gives errno, which is EWOULDBLOCK (11 on Linux, 35 on macOS), and on Windows ERROR_SHARING_VIOLATION.</remarks>
    public static bool IsHeld(IOException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.HResult == (OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() ? 35 : 11);
    }

    private static FileStream Open(string folder, FileAccess access, FileShare share) => new(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, access, share);
}
