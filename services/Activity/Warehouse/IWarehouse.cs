using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Where the warehouse's files are. A file is there when it is whole; what is there is the truth about what was written.</summary>
internal interface IWarehouse
{
    /// <summary>Makes this process the one that writes; false where another is.</summary>
    /// <param name="work">What it does as such; cancelled where it is that no longer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<bool> TryWriteAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken);

    /// <summary>Keeps all files where they are until disposed of; null where nobody takes any away.</summary>
    Task<IDisposable?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Takes away what a crash has left, and returns the files that are there. For the one who has the lock.</summary>
    Task<IReadOnlyList<WarehouseFile>> RecoverAsync(CancellationToken cancellationToken);

    /// <summary>The files that somebody has begun, by the partition and the offset at which they begin: such a file has to have the records that it was begun for.</summary>
    Task<IReadOnlyDictionary<(string Topic, int Partition, long Begin), WarehouseFile>> BegunAsync(CancellationToken cancellationToken);

    /// <summary>Forgets files that were begun behind an offset at which a partition goes on: they were there, and somebody has taken them away. For the one who has the lock.</summary>
    Task ForgetBegunAsync(string topic, int partition, long after, CancellationToken cancellationToken);

    /// <summary>The files that are there, with their sizes in bytes.</summary>
    Task<IReadOnlyList<(WarehouseFile File, long Size)>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Writes a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="begin">The offset at which the file before it ended.</param>
    /// <param name="write">Writes its bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">Another process has begun another file there.</exception>
    Task WriteAsync(WarehouseFile file, long begin, Func<Stream, Task> write, CancellationToken cancellationToken);

    /// <summary>Reads a file, from anywhere in it.</summary>
    Task<Stream> OpenAsync(WarehouseFile file, CancellationToken cancellationToken);

    /// <summary>Takes all files of a topic out of the sight of readers, for good, when nobody reads: they are of a log that is not there any more.</summary>
    /// <returns>Where they are now; null where somebody reads.</returns>
    Task<string?> SupersedeAsync(string topic, DateTimeOffset now, CancellationToken cancellationToken);
}
