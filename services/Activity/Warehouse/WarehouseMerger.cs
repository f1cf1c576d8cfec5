using Microsoft.Extensions.Options;
using Shop.Contracts.Warehouse;

namespace Shop.Activity.Warehouse;

/// <summary>Merges small files of a folder, for the one who writes there; those that cannot be merged stay as they are, and keep no others from it.</summary>
internal sealed partial class WarehouseMerger(IOptions<WarehouseOptions> options, TimeProvider time, ILogger logger)
{
    private readonly HashSet<string> _unmerged = [], _unmergeable = [];

    /// <summary>Merges what can be merged, and deletes what was merged long enough ago.</summary>
    public async Task MergeAsync(LocalWarehouse local, CancellationToken cancellationToken)
    {
        var listed = await local.ListAsync(cancellationToken);
        _unmergeable.IntersectWith(listed.Select(file => file.File.Path));
        // one that cannot be merged parts its neighbours, as a large one does
        var candidates = listed.Select(file => (file.File, Size: _unmergeable.Contains(file.File.Path) ? long.MaxValue : file.Size)).ToList();
        foreach (var files in FileMerging.Find(candidates, options.Value.MergeBelow, options.Value.MaxSize))
        {
            try
            {
                if (!await CanBeMergedAsync(local, files, cancellationToken))
                    continue;
                if (await FileMerging.MergeAsync(local, files, cancellationToken) is not { } merged)
                    break;
                FilesMerged(logger, files.Count, merged.Path);
            }
            catch (UnreadableFileException e)
            {
                LeaveUnmerged(e.File, e);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                if (_unmerged.Add(files[0].Path))
                    MergeFailed(logger, e, files.Count, files[0].Path);
            }
        }
        local.DeleteHidden(time.GetUtcNow() - options.Value.MergedKept);
    }

    /// <summary>Whether all of the files can be merged. Those that cannot are not looked at again: a file never changes.</summary>
    private async Task<bool> CanBeMergedAsync(LocalWarehouse local, IReadOnlyList<WarehouseFile> files, CancellationToken cancellationToken)
    {
        var can = true;
        foreach (var file in files)
        {
            try
            {
                if (await FileMerging.IsOfTodayAsync(local, file, cancellationToken))
                    continue;
                _unmergeable.Add(file.Path);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LeaveUnmerged(file, e);
            }
            can = false;
        }
        return can;
    }

    private void LeaveUnmerged(WarehouseFile file, Exception failure)
    {
        if (_unmergeable.Add(file.Path))
            FileUnreadable(logger, failure, file.Path);
    }

    [LoggerMessage(EventName = "WarehouseFilesMerged", Level = LogLevel.Debug, Message = "{Count} files were merged into {Path}")]
    private static partial void FilesMerged(ILogger logger, int count, string path);

    [LoggerMessage(EventName = "WarehouseMergeFailed", Level = LogLevel.Error, Message = "{Count} files from {Path} on could not be merged, and stay as they are")]
    private static partial void MergeFailed(ILogger logger, Exception exception, int count, string path);

    [LoggerMessage(EventName = "WarehouseFileUnreadable", Level = LogLevel.Error, Message = "{Path} cannot be read. It stays as it is, and is not merged with others")]
    private static partial void FileUnreadable(ILogger logger, Exception exception, string path);
}
