using System.Globalization;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>
/// The warehouse's folder. A file is there when it is whole: written aside, synced, renamed. What is there is the truth about what was written; a
/// rename that a machine's end undoes is a file that is written again.
/// </summary>
/// <param name="directory">The folder; made where it is missing.</param>
internal sealed class LocalWarehouse(string directory) : IWarehouse
{
    /// <summary>Engines pass over names that begin so.</summary>
    private const string Temporary = "_temporary", Replaced = "_replaced", Superseded = "_superseded", LockFile = "_lock";

    private const int BufferBytes = 128 * 1024;

    /// <summary>How long a merged file waits for readers to end; then the small ones stay for now.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public Task<IDisposable?> ReadAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        return WarehouseAccess.ReadAsync(directory, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>The system lets go of the file when the process ends, however that happens, and not before: there is never a second writer.</remarks>
    public async Task<bool> TryWriteAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        await using var held = TryLock();
        if (held is null)
            return false;
        await work(cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<(string Topic, int Partition, long Begin), WarehouseFile>> BegunAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<(string Topic, int Partition, long Begin), WarehouseFile>>(new Dictionary<(string, int, long), WarehouseFile>());

    /// <inheritdoc/>
    public Task ForgetBegunAsync(string topic, int partition, long after, CancellationToken cancellationToken) => Task.CompletedTask;

    private FileStream? TryLock()
    {
        Directory.CreateDirectory(directory);
        try
        {
            return new(Path.Combine(directory, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (WarehouseAccess.IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Takes away what a crash has left, and returns the files that are there. For the one who has the lock.</summary>
    public async Task<IReadOnlyList<WarehouseFile>> RecoverAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(PathOf(Temporary)))
            Directory.Delete(PathOf(Temporary), recursive: true);
        Directory.CreateDirectory(PathOf(Temporary));
        var files = WarehouseFile.In(directory);
        var current = WarehouseFile.Current(files);
        // a merged file was there already; who reads now leaves the others out, and they go away the next time
        using (var alone = await WarehouseAccess.TryReplaceAsync(directory, Patience, cancellationToken))
        {
            foreach (var file in alone is null ? [] : files.Except(current))
                Hide(file);
        }
        // small files were gone, and the merged one was not there yet
        var back = WarehouseFile.Current([.. current, .. WarehouseFile.In(PathOf(Replaced))]).Except(current).ToList();
        foreach (var file in back)
            File.Move(PathOf(Replaced, file.Path), PathOf(file.Path));
        return [.. current, .. back];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<(WarehouseFile File, long Size)>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<(WarehouseFile File, long Size)>>(
        [.. WarehouseFile.Current(WarehouseFile.In(directory)).Select(file => (file, new FileInfo(PathOf(file.Path)).Length))]);

    /// <inheritdoc/>
    public async Task WriteAsync(WarehouseFile file, long begin, Func<Stream, Task> write, CancellationToken cancellationToken) => Publish(file, await WriteAsideAsync(file, write));

    /// <summary>Writes a file in the place of others, when nobody reads.</summary>
    /// <returns>False where somebody does: then all is as it was.</returns>
    public async Task<bool> ReplaceAsync(WarehouseFile file, IReadOnlyList<WarehouseFile> replaced, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        var aside = await WriteAsideAsync(file, write);
        using var alone = await WarehouseAccess.TryReplaceAsync(directory, Patience, cancellationToken);
        if (alone is null)
        {
            File.Delete(aside);
            return false;
        }
        Publish(file, aside);
        foreach (var small in replaced)
            Hide(small);
        return true;
    }

    /// <inheritdoc/>
    public Task<Stream> OpenAsync(WarehouseFile file, CancellationToken cancellationToken) =>
        Task.FromResult<Stream>(new FileStream(PathOf(file.Path), FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes));

    /// <summary>Takes all files of a topic out of the sight of readers, for good, when nobody reads: they are of a log that is not there any more.</summary>
    /// <returns>The folder in which they are now; null where somebody reads.</returns>
    public async Task<string?> SupersedeAsync(string topic, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var alone = await WarehouseAccess.TryReplaceAsync(directory, Patience, cancellationToken);
        if (alone is null)
            return null;
        var aside = PathOf(Superseded, now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture));
        // what was replaced first: without the files that replaced it, it would come back
        foreach (var files in new[] { PathOf(Replaced, $"topic={topic}"), PathOf($"topic={topic}") }.Where(Directory.Exists))
        {
            var target = Path.Combine(aside, Path.GetRelativePath(directory, files));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            Directory.Move(files, target);
        }
        return aside;
    }

    /// <summary>Deletes files that were hidden before <paramref name="before"/>.</summary>
    public void DeleteHidden(DateTimeOffset before)
    {
        foreach (var file in WarehouseFile.In(PathOf(Replaced)).Select(file => PathOf(Replaced, file.Path)))
        {
            if (File.GetLastWriteTimeUtc(file) < before.UtcDateTime)
                File.Delete(file);
        }
    }

    private async Task<string> WriteAsideAsync(WarehouseFile file, Func<Stream, Task> write)
    {
        var aside = PathOf(Temporary, file.Name);
        try
        {
            await using var stream = new FileStream(aside, FileMode.Create, FileAccess.ReadWrite, FileShare.None, BufferBytes);
            await write(stream);
            await stream.FlushAsync();
            stream.Flush(flushToDisk: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
        return aside;
    }

    private void Publish(WarehouseFile file, string aside)
    {
        Directory.CreateDirectory(PathOf(file.Folder));
        File.Move(aside, PathOf(file.Path), overwrite: true);
    }

    /// <summary>Takes a file out of the sight of readers.</summary>
    private void Hide(WarehouseFile file)
    {
        Directory.CreateDirectory(PathOf(Replaced, file.Folder));
        var hidden = PathOf(Replaced, file.Path);
        File.Move(PathOf(file.Path), hidden, overwrite: true);
        File.SetLastWriteTimeUtc(hidden, DateTime.UtcNow);
    }

    private string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([directory, .. parts]);
}
