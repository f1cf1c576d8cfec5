using System.Diagnostics;
using Npgsql;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.Schema;
using Shop.Messaging.Streams;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Activity.RebuildingFeed;

/// <summary>
/// Carries out rebuilds, one instance at a time: fills the shadow tables up to where the feed is, compares, and swaps in the transaction in which it has
/// caught up. The feed goes on meanwhile, and waits only for the last step. Whatever ends the process, another one goes on where it was.
/// </summary>
internal sealed partial class FeedRebuilder(NpgsqlDataSource dataSource, LogReaders logs, ArchivedEvents archive, ILogger<FeedRebuilder> logger) : IWorker
{
    /// <summary>The endpoint whose tables are rebuilt.</summary>
    public const string Endpoint = "activity.feed";

    /// <summary>Rows that share a transaction.</summary>
    private const int ChunkRows = 20_000;

    /// <summary>Events that the feed may be ahead by when the last step begins, during which it waits.</summary>
    private const long NearlyThere = 2_000;

    private const string Lock = "feed rebuild";

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await using (var connection = await dataSource.OpenConnectionAsync(stoppingToken))
            {
                if (await RebuildTable.FindUnendedAsync(connection, stoppingToken) is not null && await AdvisoryLocks.TryTakeAsync(connection, Lock, stoppingToken))
                {
                    try
                    {
                        await CarryOutNextAsync(connection, stoppingToken);
                    }
                    finally
                    {
                        await AdvisoryLocks.ReleaseAsync(connection);
                    }
                }
            }
            await Task.Delay(PollInterval, stoppingToken);
        }
    }

    private async Task CarryOutNextAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // who had the lock may have ended it since
        if (await RebuildTable.FindUnendedAsync(connection, cancellationToken) is not { } rebuild)
            return;
        try
        {
            await CarryOutAsync(connection, rebuild, cancellationToken);
        }
        catch (RebuildCancelledException)
        {
            await ShadowTables.DropAsync(connection, cancellationToken);
            await RebuildTable.EndAsync(connection, rebuild.Id, RebuildStates.Cancelled, cancellationToken);
            RebuildEnded(logger, rebuild.Id, RebuildStates.Cancelled);
        }
    }

    private async Task CarryOutAsync(NpgsqlConnection connection, Rebuild rebuild, CancellationToken cancellationToken)
    {
        using var reader = logs.Open();
        var writer = new ShadowWriter(rebuild.Id);
        var positions = await RebuildTable.PositionsAsync(connection, rebuild.Id, cancellationToken);
        if (positions.Count == 0)
            positions = await BeginAsync(connection, reader, rebuild, cancellationToken);
        else
            RebuildResumed(logger, rebuild.Id, rebuild.Events);
        await writer.LoadAsync(connection, cancellationToken);
        if (rebuild.From == RebuildEndpoints.Archive)
            await FillAsync(connection, rebuild, writer, positions, archive.ReadAsync(positions, reader.PartitionsOf(Topics.Lasting), cancellationToken), cancellationToken);

        await RebuildTable.SetStateAsync(connection, rebuild.Id, RebuildStates.Filling, cancellationToken);
        await FillFromTopicsAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.SetStateAsync(connection, rebuild.Id, RebuildStates.Indexing, cancellationToken);
        await ShadowTables.IndexAsync(connection, cancellationToken);
        await RebuildTable.SetStateAsync(connection, rebuild.Id, RebuildStates.CatchingUp, cancellationToken);
        while (await BehindAsync(connection, positions, cancellationToken) > NearlyThere)
            await FillFromTopicsAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.SetStateAsync(connection, rebuild.Id, RebuildStates.Comparing, cancellationToken);
        await RebuildTable.CompareAsync(connection, rebuild.Id, cancellationToken);
        while (await BehindAsync(connection, positions, cancellationToken) > NearlyThere)
            await FillFromTopicsAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.SetStateAsync(connection, rebuild.Id, RebuildStates.Swapping, cancellationToken);
        await SwapAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        RebuildEnded(logger, rebuild.Id, RebuildStates.Done);
    }

    /// <summary>Makes the shadow tables and the positions at which filling begins.</summary>
    private static async Task<Positions> BeginAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, CancellationToken cancellationToken)
    {
        var partitions = reader.PartitionsOf(Topics.Lasting);
        var positions = new Positions();
        var sinceTime = IsoTime.TryParse(rebuild.From, out var since) ? reader.OffsetsAt(partitions, since) : null;
        foreach (var partition in partitions)
            positions[(partition.Topic.Name, partition.Partition)] = rebuild.From == RebuildEndpoints.Archive ? 0 : sinceTime?[(partition.Topic.Name, partition.Partition)] ?? partition.First;
        await ShadowTables.DropAsync(connection, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ShadowTables.CreateAsync(connection, cancellationToken);
        await RebuildTable.InsertPositionsAsync(connection, rebuild.Id, positions, cancellationToken);
        // from a time on: what was before it stays as it is
        if (sinceTime is not null)
            await RebuildTable.CopyOlderAsync(connection, rebuild.Id, cancellationToken);
        await RebuildTable.SetOfAsync(connection, rebuild.Id, Endpoint, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return positions;
    }

    private async Task FillFromTopicsAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, ShadowWriter writer, Positions positions, CancellationToken cancellationToken)
    {
        var ends = await RebuildTable.FeedPositionsAsync(connection, Endpoint, forUpdate: false, cancellationToken);
        await FillAsync(connection, rebuild, writer, positions, ReadUpToAsync(reader, positions, ends, cancellationToken), cancellationToken);
    }

    private static async Task FillAsync(NpgsqlConnection connection, Rebuild rebuild, ShadowWriter writer, Positions positions,
        IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> batches, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var (chunk, records) = (new List<StoredEvent>(ChunkRows), 0);
        await foreach (var batch in batches)
        {
            foreach (var (stored, topic, partition, offset) in batch)
            {
                if (stored is not null)
                    chunk.Add(stored);
                positions[(topic, partition)] = offset + 1;
                records++;
            }
            if (records >= ChunkRows)
                await FlushAsync();
        }
        await FlushAsync();

        async Task FlushAsync()
        {
            await writer.AddAsync(connection, chunk, records, positions.Of(rebuild.Id), null, cancellationToken);
            chunk.Clear();
            records = 0;
            await RebuildTable.AddSecondsAsync(connection, rebuild.Id, Stopwatch.GetElapsedTime(began).TotalSeconds, cancellationToken);
            began = Stopwatch.GetTimestamp();
            if (await RebuildTable.IsCancelledAsync(connection, rebuild.Id, cancellationToken))
                throw new RebuildCancelledException();
        }
    }

    /// <summary>The feed's records from the shadow's positions to given ends, which are not included.</summary>
    private static async IAsyncEnumerable<IReadOnlyList<(StoredEvent?, string, int, long)>> ReadUpToAsync(
        LogReader reader, Positions positions, Positions ends, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = reader.PartitionsOf(Topics.Lasting).ToDictionary(partition => (partition.Topic.Name, partition.Partition), partition => partition.First);
        var open = ends.Where(end => end.Value > Math.Max(positions.GetValueOrDefault(end.Key), first.GetValueOrDefault(end.Key))).ToDictionary();
        if (open.Count == 0)
            yield break;
        await foreach (var batch in reader.ReadAsync(open.Keys.Select(key => (key.Topic, key.Partition, Math.Max(positions.GetValueOrDefault(key), first.GetValueOrDefault(key)))).ToList(), cancellationToken))
        {
            var events = new List<(StoredEvent?, string, int, long)>(batch.Count);
            foreach (var record in batch)
            {
                if (!open.TryGetValue((record.Topic, record.Partition), out var end))
                    continue;
                if (record.Offset < end)
                    events.Add((EventOf(record), record.Topic, record.Partition, record.Offset));
                // compacted topics have gaps: what lies behind the end says that it was passed
                if (record.Offset >= end - 1)
                    open.Remove((record.Topic, record.Partition));
            }
            yield return events;
            if (open.Count == 0 || batch.Count == 0 && reader.ArePassed(open))
                yield break;
        }
    }

    /// <summary>What the feed keeps of a record; null where that became a dead letter.</summary>
    private static StoredEvent? EventOf(ConsumedRecord record)
    {
        try
        {
            return StoredEvent.From(record);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static async Task<long> BehindAsync(NpgsqlConnection connection, Positions positions, CancellationToken cancellationToken) =>
        (await RebuildTable.FeedPositionsAsync(connection, Endpoint, forUpdate: false, cancellationToken)).Sum(end => Math.Max(0, end.Value - positions.GetValueOrDefault(end.Key)));

    /// <summary>The feed's offset rows are locked: its batches wait, until the new tables are exactly as far as they are, and in their places.</summary>
    private static async Task SwapAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, ShadowWriter writer, Positions positions, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var ends = await RebuildTable.FeedPositionsAsync(connection, Endpoint, forUpdate: true, cancellationToken);
        var (last, records) = (new List<StoredEvent>(), 0);
        await foreach (var batch in ReadUpToAsync(reader, positions, ends, cancellationToken))
        {
            foreach (var (stored, topic, partition, offset) in batch)
            {
                if (stored is not null)
                    last.Add(stored);
                positions[(topic, partition)] = offset + 1;
                records++;
            }
        }
        await writer.AddAsync(connection, last, records, positions.Of(rebuild.Id), transaction, cancellationToken);
        await ShadowTables.SwapAsync(connection, cancellationToken);
        await RebuildTable.EndAsync(connection, rebuild.Id, RebuildStates.Done, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    [LoggerMessage(EventName = "RebuildResumed", Level = LogLevel.Information, Message = "The rebuild {Rebuild} goes on after {Events} events")]
    private static partial void RebuildResumed(ILogger logger, Guid rebuild, long events);

    [LoggerMessage(EventName = "RebuildEnded", Level = LogLevel.Information, Message = "The rebuild {Rebuild} is {State}")]
    private static partial void RebuildEnded(ILogger logger, Guid rebuild, string state);
}

/// <summary>An operator cancelled the rebuild.</summary>
internal sealed class RebuildCancelledException : Exception;

/// <summary>The next offset of each partition.</summary>
internal sealed class Positions : Dictionary<(string Topic, int Partition), long>
{
    /// <summary>As rows of a rebuild.</summary>
    public IReadOnlyCollection<RebuildPosition> Of(Guid rebuild) => [.. this.Select(position => new RebuildPosition(rebuild, position.Key.Topic, position.Key.Partition, position.Value))];
}
