using System.Diagnostics;
using Npgsql;
using Shop.Activity.StoringEvents;
using Shop.Contracts;
using Shop.Messaging.Consuming;
using Shop.Messaging.DeadLetters;
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

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500), SwapInterval = TimeSpan.FromSeconds(2);

    /// <summary>How often the database is asked something, however slowly events come: one who asks nothing for long loses the lock.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(5);

    /// <summary>After how long without a record the feed's positions are looked at again; in the last step, in which the feed waits, all is given up for now.</summary>
    private static readonly TimeSpan FillPatience = TimeSpan.FromSeconds(10), SwapPatience = TimeSpan.FromSeconds(5);

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
            // together: positions without tables would be a rebuild that can neither go on nor end
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ShadowTables.DropAsync(connection, cancellationToken);
            await RebuildTable.CancelAsync(connection, rebuild.Id, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            RebuildEnded(logger, rebuild.Id, RebuildStates.Cancelled);
        }
    }

    private async Task CarryOutAsync(NpgsqlConnection connection, Rebuild rebuild, CancellationToken cancellationToken)
    {
        await RebuildTable.ThrowIfCancelledAsync(connection, rebuild.Id, cancellationToken);
        using var reader = logs.Open();
        var positions = await RebuildTable.PositionsAsync(connection, rebuild.Id, cancellationToken);
        if (positions.Count == 0)
        {
            positions = await BeginAsync(connection, reader, rebuild, cancellationToken);
        }
        else
        {
            // one that another version began may have fewer tables
            await ShadowTables.CreateAsync(connection, cancellationToken);
            RebuildResumed(logger, rebuild.Id, rebuild.Events);
        }
        var writer = await ShadowWriter.OpenAsync(connection, rebuild.Id, cancellationToken);
        if (rebuild.From == RebuildEndpoints.Archive)
            await FillAsync(connection, rebuild, writer, positions, archive.ReadAsync(positions, reader.PartitionsOf(Topics.Lasting), cancellationToken), cancellationToken);

        await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.Filling, cancellationToken);
        await CatchUpAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.Indexing, cancellationToken);
        await ShadowTables.IndexAsync(connection, cancellationToken);
        await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.CatchingUp, cancellationToken);
        await CatchUpAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.Comparing, cancellationToken);
        writer.Remember(await RebuildTable.KeepRedrivenAsync(connection, cancellationToken));
        await RebuildTable.CompareAsync(connection, rebuild.Id, cancellationToken);
        await ShadowTables.AnalyzeAsync(connection, cancellationToken);
        await CatchUpAsync(connection, reader, rebuild, writer, positions, cancellationToken);
        await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.Swapping, cancellationToken);
        while (!await TrySwapAsync(connection, reader, rebuild, writer, positions, cancellationToken))
        {
            SwapPostponed(logger, rebuild.Id);
            await Task.Delay(SwapInterval, cancellationToken);
            // what it remembers of the events that were rolled back is not so
            writer = await ShadowWriter.OpenAsync(connection, rebuild.Id, cancellationToken);
            await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.CatchingUp, cancellationToken);
            await CatchUpAsync(connection, reader, rebuild, writer, positions, cancellationToken);
            await RebuildTable.EnterAsync(connection, rebuild.Id, RebuildStates.Swapping, cancellationToken);
        }
        RebuildEnded(logger, rebuild.Id, RebuildStates.Done);
    }

    /// <summary>Makes the shadow tables and the positions at which filling begins.</summary>
    private static async Task<Positions> BeginAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, CancellationToken cancellationToken)
    {
        var partitions = reader.PartitionsOf(Topics.Lasting);
        var positions = new Positions();
        var sinceTime = IsoTime.TryParse(rebuild.From, out var since) ? reader.OffsetsAt(partitions, since) : null;
        await ShadowTables.DropAsync(connection, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ShadowTables.CreateAsync(connection, cancellationToken);
        var feed = await EndpointPositions.ReadAsync(connection, Endpoint, forUpdate: false, cancellationToken);
        foreach (var partition in partitions)
        {
            var key = (partition.Topic.Name, partition.Partition);
            // what the feed has not come to yet cannot be taken over from it, however old it is
            positions[key] = rebuild.From == RebuildEndpoints.Archive ? 0 : sinceTime is null ? partition.First : Math.Min(sinceTime[key], feed.GetValueOrDefault(key));
        }
        await RebuildTable.InsertPositionsAsync(connection, rebuild.Id, positions, cancellationToken);
        if (sinceTime is not null)
        {
            // what was before the time stays as it is; noted first, so that what is redriven meanwhile is copied or known
            await AppliedRecords.NoteUnhandledAsync(connection, Endpoint, ShadowTables.Unhandled, cancellationToken);
            await RebuildTable.CopyOlderAsync(connection, rebuild.Id, cancellationToken);
        }
        await RebuildTable.SetOfAsync(connection, rebuild.Id, AheadOf(positions, feed), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return positions;
    }

    /// <summary>Fills them from the topics until they are nearly where the feed is.</summary>
    private static async Task CatchUpAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, ShadowWriter writer, Positions positions, CancellationToken cancellationToken)
    {
        Dictionary<(string Topic, int Partition), long> ends;
        do
        {
            ends = await EndpointPositions.ReadAsync(connection, Endpoint, forUpdate: false, cancellationToken);
            await FillAsync(connection, rebuild, writer, positions, FeedRecords.ReadUpToAsync(reader, positions, ends, FeedRecords.FirstOf(reader), FillPatience, waitsForDamage: true, cancellationToken), cancellationToken);
            ends = await EndpointPositions.ReadAsync(connection, Endpoint, forUpdate: false, cancellationToken);
        }
        while (AheadOf(positions, ends) > NearlyThere);
    }

    /// <summary>How many records lie between the positions and those that are further on.</summary>
    private static long AheadOf(Positions positions, Dictionary<(string Topic, int Partition), long> further) =>
        further.Sum(end => Math.Max(0, end.Value - positions.GetValueOrDefault(end.Key)));

    private static async Task FillAsync(NpgsqlConnection connection, Rebuild rebuild, ShadowWriter writer, Positions positions,
        IAsyncEnumerable<IReadOnlyList<(StoredEvent? Event, string Topic, int Partition, long Offset)>> batches, CancellationToken cancellationToken)
    {
        var (began, askedAt) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        var (chunk, records, flushing) = (new List<StoredEvent>(ChunkRows), 0, Task.CompletedTask);
        try
        {
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
                {
                    await FlushAsync();
                }
                else if (batch.Count == 0 || Stopwatch.GetElapsedTime(askedAt) > AskInterval)
                {
                    await flushing;
                    await RebuildTable.ThrowIfCancelledAsync(connection, rebuild.Id, cancellationToken);
                    askedAt = Stopwatch.GetTimestamp();
                }
            }
            await FlushAsync();
            await flushing;
        }
        finally
        {
            // nobody else may use the connection before
            await flushing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // the next chunk is read while one is written
        async Task FlushAsync()
        {
            await flushing;
            flushing = WriteAsync(chunk, records, positions.Of(rebuild.Id), Stopwatch.GetElapsedTime(began).TotalSeconds);
            (chunk, records, began) = (new(ChunkRows), 0, Stopwatch.GetTimestamp());
        }

        async Task WriteAsync(List<StoredEvent> events, int count, IReadOnlyCollection<RebuildPosition> reached, double seconds)
        {
            await writer.AddAsync(connection, events, count, reached, null, cancellationToken);
            await RebuildTable.AddSecondsAsync(connection, rebuild.Id, seconds, cancellationToken);
            await RebuildTable.ThrowIfCancelledAsync(connection, rebuild.Id, cancellationToken);
        }
    }

    /// <summary>
    /// The feed's offset rows are locked: its batches wait, until the new tables are exactly as far as they are, and in their places. Nobody waits for
    /// longer than moments: where a reader holds the old tables, or the topics do not answer, all is as it was.
    /// </summary>
    /// <returns>Whether they are in their places; otherwise it is to be tried again, by another writer.</returns>
    private static async Task<bool> TrySwapAsync(NpgsqlConnection connection, LogReader reader, Rebuild rebuild, ShadowWriter writer, Positions positions, CancellationToken cancellationToken)
    {
        // asked before the feed has to wait
        var first = FeedRecords.FirstOf(reader);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await using (var limit = new NpgsqlCommand("SET LOCAL lock_timeout = '2s'", connection))
                await limit.ExecuteNonQueryAsync(cancellationToken);
            var ends = await EndpointPositions.ReadAsync(connection, Endpoint, forUpdate: true, cancellationToken);
            var (reached, last, records) = (new Positions(positions), new List<StoredEvent>(), 0);
            await foreach (var batch in FeedRecords.ReadUpToAsync(reader, reached, ends, first, SwapPatience, waitsForDamage: false, cancellationToken))
            {
                foreach (var (stored, topic, partition, offset) in batch)
                {
                    if (stored is not null)
                        last.Add(stored);
                    reached[(topic, partition)] = offset + 1;
                    records++;
                }
            }
            if (ends.Any(end => reached.GetValueOrDefault(end.Key) < end.Value))
                return false;
            await writer.AddAsync(connection, last, records, reached.Of(rebuild.Id), transaction, cancellationToken);
            // what the new tables do not have (what is no event at all, what lies before the time from which on a rebuild was asked for and did not come again) waits on
            await AppliedRecords.EndDeadLettersAsync(connection, Endpoint, ShadowTables.Of("events"), StoredEvent.LongestSearchedKey, cancellationToken);
            // from here on nothing is redriven until the tables are in their places
            await RebuildTable.KeepRedrivenAsync(connection, cancellationToken);
            await ShadowTables.SwapAsync(connection, cancellationToken);
            await RebuildTable.FinishAsync(connection, rebuild.Id, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }

    [LoggerMessage(EventName = "RebuildSwapPostponed", Level = LogLevel.Information, Message = "The rebuild {Rebuild} cannot put its tables in their places yet: somebody holds the old ones, or the topics do not answer")]
    private static partial void SwapPostponed(ILogger logger, Guid rebuild);

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
    public Positions()
    {
    }

    /// <summary>A copy.</summary>
    public Positions(Positions positions) : base(positions)
    {
    }

    /// <summary>As rows of a rebuild.</summary>
    public IReadOnlyCollection<RebuildPosition> Of(Guid rebuild) => [.. this.Select(position => new RebuildPosition(rebuild, position.Key.Topic, position.Key.Partition, position.Value))];
}
