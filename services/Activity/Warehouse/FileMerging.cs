using Parquet;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Makes one file of small ones that follow each other.</summary>
internal static class FileMerging
{
    /// <summary>Bytes of events' data, before compression, from which on rows are written as a row group: no more of them are in memory, however many files are merged.</summary>
    private const long GroupBytes = 16L << 20;

    /// <summary>Small files of the same partition and hour that follow each other, and may be one: two of them at least.</summary>
    /// <param name="files">What is there.</param>
    /// <param name="smallerThan">Bytes from which on a file is not small.</param>
    /// <param name="most">Bytes that a merged file may have.</param>
    public static IReadOnlyList<IReadOnlyList<WarehouseFile>> Find(IReadOnlyList<(WarehouseFile File, long Size)> files, long smallerThan, long most)
    {
        var groups = new List<IReadOnlyList<WarehouseFile>>();
        foreach (var folder in files.GroupBy(file => (file.File.Topic, file.File.Partition, file.File.Hour)))
        {
            var run = new List<(WarehouseFile File, long Size)>();
            foreach (var file in folder.OrderBy(file => file.File.First))
            {
                if (file.Size >= smallerThan || run.Sum(small => small.Size) + file.Size > most)
                    End(run, groups);
                if (file.Size < smallerThan)
                    run.Add(file);
            }
            End(run, groups);
        }
        return groups;
    }

    /// <summary>
    /// Ends a run. A file that is larger than all behind it together waits until they are as large, so that no row is written again more often than the
    /// logarithm of how many there are.
    /// </summary>
    private static void End(List<(WarehouseFile File, long Size)> run, List<IReadOnlyList<WarehouseFile>> groups)
    {
        for (var bytes = run.Sum(file => file.Size); run.Count > 0 && run[0].Size * 2 > bytes; run.RemoveAt(0))
            bytes -= run[0].Size;
        if (run.Count > 1)
            groups.Add([.. run.Select(file => file.File)]);
        run.Clear();
    }

    /// <summary>
    /// Whether a file has the columns that it would have today: one that was written by a newer version has more, which a merged file would lose, and one that was
    /// written by an older one is left to those who know how to read it.
    /// </summary>
    public static async Task<bool> IsOfTodayAsync(IWarehouse warehouse, WarehouseFile file, CancellationToken cancellationToken)
    {
        var schema = new RowBuffer(WarehouseTable.Of(file.Topic)).Schema;
        await using var stream = await warehouse.OpenAsync(file, cancellationToken);
        await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
        return reader.Schema.Equals(schema);
    }

    /// <summary>Merges files. A crash in the middle leaves nothing that recovery does not see.</summary>
    /// <returns>The merged file; null where somebody reads, so that the files have to stay.</returns>
    /// <exception cref="UnreadableFileException">One of them is damaged.</exception>
    public static async Task<WarehouseFile?> MergeAsync(LocalWarehouse warehouse, IReadOnlyList<WarehouseFile> files, CancellationToken cancellationToken)
    {
        var merged = files[0] with { Last = files[^1].Last };
        return await warehouse.ReplaceAsync(merged, files, stream => WriteAsync(warehouse, files, stream, cancellationToken), cancellationToken) ? merged : null;
    }

    private static async Task WriteAsync(LocalWarehouse warehouse, IReadOnlyList<WarehouseFile> files, Stream merged, CancellationToken cancellationToken)
    {
        var table = WarehouseTable.Of(files[0].Topic);
        var rows = new RowBuffer(table);
        await using var writer = await rows.BeginAsync(merged, cancellationToken);
        foreach (var file in files)
        {
            await using var stream = await OfAsync(file, () => warehouse.OpenAsync(file, cancellationToken));
            await using var reader = await OfAsync(file, async () => await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken));
            for (var group = 0; group < reader.RowGroupCount; group++)
            {
                var (part, target) = (group, rows);
                await OfAsync(file, async () =>
                {
                    await target.AddAsync(reader, part, cancellationToken);
                    return target;
                });
                if (rows.Bytes < GroupBytes)
                    continue;
                await rows.WriteAsync(writer, cancellationToken);
                rows = new(table);
            }
        }
        if (rows.Rows > 0)
            await rows.WriteAsync(writer, cancellationToken);
    }

    /// <summary>Reads something of a file: where that cannot be read, it is told which file it was.</summary>
    private static async Task<T> OfAsync<T>(WarehouseFile file, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new UnreadableFileException(file, e);
        }
    }
}

/// <summary>A file of the warehouse cannot be read.</summary>
internal sealed class UnreadableFileException(WarehouseFile file, Exception innerException) : Exception($"{file.Path} cannot be read", innerException)
{
    /// <summary>The file.</summary>
    public WarehouseFile File { get; } = file;
}
