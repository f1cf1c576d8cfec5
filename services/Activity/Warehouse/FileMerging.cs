using Parquet;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Makes one file of small ones that follow each other.</summary>
internal static class FileMerging
{
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
    /// Whether files have the columns that they have today: one that was written by a newer version has more, which a merged file would lose, and one that was
    /// written by an older one is left to those who know how to read it.
    /// </summary>
    public static async Task<bool> AreOfTodayAsync(IWarehouse warehouse, IReadOnlyList<WarehouseFile> files, CancellationToken cancellationToken)
    {
        var schema = new RowBuffer(WarehouseTable.Of(files[0].Topic)).Schema;
        foreach (var file in files)
        {
            await using var stream = await warehouse.OpenAsync(file, cancellationToken);
            await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
            if (!reader.Schema.Equals(schema))
                return false;
        }
        return true;
    }

    /// <summary>Merges files. A crash in the middle leaves nothing that recovery does not see.</summary>
    /// <returns>The merged file; null where somebody reads, so that the files have to stay.</returns>
    public static async Task<WarehouseFile?> MergeAsync(LocalWarehouse warehouse, IReadOnlyList<WarehouseFile> files, CancellationToken cancellationToken)
    {
        var rows = new RowBuffer(WarehouseTable.Of(files[0].Topic));
        foreach (var file in files)
        {
            await using var stream = await warehouse.OpenAsync(file, cancellationToken);
            await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
            await rows.AddAsync(reader, cancellationToken);
        }
        var merged = files[0] with { Last = files[^1].Last };
        return await warehouse.ReplaceAsync(merged, files, stream => rows.WriteAsync(stream, cancellationToken), cancellationToken) ? merged : null;
    }
}
