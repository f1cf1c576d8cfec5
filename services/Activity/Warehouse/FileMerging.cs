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
            var (run, bytes) = (new List<WarehouseFile>(), 0L);
            foreach (var (file, size) in folder.OrderBy(file => file.File.First))
            {
                if (size >= smallerThan || bytes + size > most)
                {
                    End();
                    if (size >= smallerThan)
                        continue;
                }
                run.Add(file);
                bytes += size;
            }
            End();

            void End()
            {
                if (run.Count > 1)
                    groups.Add(run);
                (run, bytes) = ([], 0);
            }
        }
        return groups;
    }

    /// <summary>
    /// Merges files. The merged one appears first and the others go behind it: whoever lists them meanwhile leaves out what lies within another's range, and a
    /// crash in between leaves nothing that recovery does not see.
    /// </summary>
    public static async Task<WarehouseFile> MergeAsync(LocalWarehouse warehouse, IReadOnlyList<WarehouseFile> files, CancellationToken cancellationToken)
    {
        var rows = new RowBuffer(WarehouseTable.Of(files[0].Topic));
        foreach (var file in files)
        {
            await using var stream = warehouse.Open(file);
            await using var reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true, cancellationToken: cancellationToken);
            await rows.AddAsync(reader, cancellationToken);
        }
        var merged = files[0] with { Last = files[^1].Last };
        await warehouse.WriteAsync(merged, stream => rows.WriteAsync(stream, cancellationToken));
        foreach (var file in files)
            warehouse.Hide(file);
        return merged;
    }
}
