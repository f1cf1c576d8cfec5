using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.Replication;
using Shop.Messaging.Kafka;
using Shop.Messaging.Schema;
using Shop.Messaging.Streams;
using Shop.Messaging.Workers;

namespace Shop.Messaging.ChangeCapture;

/// <summary>
/// Publishes the changes of a table, whoever makes them, from the write-ahead log: first a snapshot that is consistent with the stream, then
/// each change. One instance does so, under an advisory lock; the others wait for it.
/// </summary>
internal sealed partial class ChangeReader(TableCapture capture, string connectionString, NpgsqlDataSource dataSource, KafkaConnection kafka, KafkaLog kafkaLog,
    LogReaders logs, TopicCreation topics, MessagingOptions options, TimeProvider time, ILogger<ChangeReader> logger) : IWorker
{
    private static readonly TimeSpan StandbyInterval = TimeSpan.FromSeconds(1), PollInterval = TimeSpan.FromMilliseconds(100), StatusInterval = TimeSpan.FromSeconds(1);

    /// <summary>A session that does not answer for so long is gone, and its lock with it.</summary>
    private const int PingSeconds = 5;

    /// <summary>A reader that asks nothing for so long is stopped or starved: the server ends its sessions, and another one takes over.</summary>
    private const int LongestSilenceSeconds = 15;

    /// <summary>
    /// How long it publishes without an answer of the server, and how long the client keeps what it could not send: together less than the silence
    /// after which another one publishes, so that one that goes on after a pause sends nothing that is older than its successor's.
    /// </summary>
    private static readonly TimeSpan LongestUnanswered = TimeSpan.FromSeconds(6), LongestQueued = TimeSpan.FromSeconds(8);

    /// <summary>What waits to be sent is sent within that time, by a broker that takes some 2,000 records a second.</summary>
    private const int MostQueued = 16_000;

    /// <summary>When the session with the lock was last asked something that the server has answered.</summary>
    private long _answeredAt;

    /// <summary>Whether the publication has been looked at, and can only be without its table, or part of it, because somebody took that out since.</summary>
    private volatile bool _ensured;

    private readonly string _slot = capture.SlotIn(new NpgsqlConnectionStringBuilder(connectionString).Database ?? "");

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        await using var session = await dataSource.OpenConnectionAsync(stoppingToken);
        await RequireLogicalAsync(session, stoppingToken);
        // no slot holds back a log while there is no broker yet
        await topics.EnsureAllAsync(stoppingToken);
        await using (var limit = new NpgsqlCommand($"SET idle_session_timeout = '{LongestSilenceSeconds}s'", session))
            await limit.ExecuteNonQueryAsync(stoppingToken);
        while (!await AdvisoryLocks.TryTakeAsync(session, _slot, stoppingToken))
            await Task.Delay(StandbyInterval, time, stoppingToken);

        _ensured = false;
        Volatile.Write(ref _answeredAt, time.GetTimestamp());
        using var held = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var holding = HoldAsync(session, held);
        try
        {
            while (true)
                await CaptureAsync(held.Token);
        }
        finally
        {
            await held.CancelAsync();
            try
            {
                await holding;
            }
            finally
            {
                await AdvisoryLocks.ReleaseAsync(session);
                await ForgetSilenceAsync(session);
            }
        }
    }

    /// <summary>A snapshot where one is needed, and the changes since; returns when another snapshot is.</summary>
    private async Task CaptureAsync(CancellationToken cancellationToken)
    {
        await EnsurePublicationAsync(cancellationToken);
        await using var replication = new LogicalReplicationConnection(WithLongestSilence(connectionString)) { WalReceiverStatusInterval = StatusInterval };
        await replication.Open(cancellationToken);
        // a slot is made once the transactions of the moment have ended, however long they take
        replication.CommandTimeout = TimeSpan.Zero;
        var limits = await TopicLimits.LoadAsync(kafka, [capture.Type.Topic.Name]);
        var config = kafka.Producer($"{options.ServiceName}.changes", gapless: true, limits.Smallest);
        (config.MessageTimeoutMs, config.QueueBufferingMaxMessages) = ((int)LongestQueued.TotalMilliseconds, MostQueued);
        using var publisher = new ChangePublisher(kafkaLog.Attach(new ProducerBuilder<byte[], byte[]?>(config)).Build(), limits, capture, options.EventSource, RequireAnswered, logger);
        var rows = new TableRows(dataSource, capture);

        var state = await CaptureTable.StateAsync(dataSource, _slot, cancellationToken);
        for (; state == SlotState.InUse; state = await CaptureTable.StateAsync(dataSource, _slot, cancellationToken))
            await Task.Delay(PollInterval, cancellationToken);
        if (state == SlotState.Lost)
            SlotLost(logger, _slot, capture.Table);
        if (state != SlotState.GoesOn)
        {
            if (state != SlotState.Missing)
                await replication.DropReplicationSlot(_slot, cancellationToken: cancellationToken);
            await SnapshotAsync(replication, publisher, rows, cancellationToken);
        }
        await new ChangeStream(replication, capture, publisher, rows).RunAsync(_slot, cancellationToken);
        await CaptureTable.SetSnapshotAsync(dataSource, _slot, null, cancellationToken);
    }

    private async Task SnapshotAsync(LogicalReplicationConnection replication, ChangePublisher publisher, TableRows rows, CancellationToken cancellationToken)
    {
        // whoever is cut off from here on begins anew, and not with the changes of a slot without a snapshot
        await CaptureTable.SetSnapshotAsync(dataSource, _slot, null, cancellationToken);
        // before the snapshot: nobody else writes to the topic, so what is there and not in the snapshot is gone
        var gone = await TopicKeys.ReadAsync(logs, capture.Type.Topic, cancellationToken);
        var slot = await replication.CreatePgOutputReplicationSlot(_slot, slotSnapshotInitMode: LogicalSlotSnapshotInitMode.Export, cancellationToken: cancellationToken);
        var (position, at, count) = (new CapturePosition(), time.GetUtcNow(), 0);
        var transaction = position.Begin();
        await foreach (var row in rows.ReadAsync(slot.SnapshotName!, cancellationToken))
        {
            await publisher.PublishAsync(row, Guid.CreateVersion7(at), at, transaction, cancellationToken);
            gone.Remove(row.Text(capture.KeyColumn));
            count++;
        }
        foreach (var key in gone)
            await publisher.PublishGoneAsync(key, Guid.CreateVersion7(at), at, transaction, cancellationToken);
        transaction.Complete(slot.ConsistentPoint);
        while (!position.IsIdle)
            await Task.Delay(PollInterval, cancellationToken);
        await CaptureTable.SetSnapshotAsync(dataSource, _slot, at, cancellationToken);
        SnapshotPublished(logger, capture.Table, count, gone.Count);
    }

    private static async Task RequireLogicalAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        await using var show = new NpgsqlCommand("SHOW wal_level", session);
        if (await show.ExecuteScalarAsync(cancellationToken) is string level && level != "logical")
            throw new InvalidOperationException($"The server's wal_level is {level}: changes are captured only with wal_level = logical, which takes a restart of the server");
        await using var role = new NpgsqlCommand("SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user", session);
        if (await role.ExecuteScalarAsync(cancellationToken) is false)
            throw new InvalidOperationException("The role may not read the write-ahead log: an administrator has to ALTER ROLE ... REPLICATION");
    }

    /// <summary>Ends the reading when the session with the lock has ended, or somebody has taken the table, or part of it, from the publication.</summary>
    private async Task HoldAsync(NpgsqlConnection session, CancellationTokenSource held)
    {
        try
        {
            while (!held.IsCancellationRequested)
            {
                await using (var ping = IsPublished(session))
                {
                    // as it was before the question: it may be made while that is answered
                    var (ensured, askedAt) = (_ensured, time.GetTimestamp());
                    if (await ping.ExecuteScalarAsync(held.Token) is false && ensured)
                        throw new InvalidOperationException($"The publication {capture.Publication} is without the table {capture.Table}, or without some of its changes: it is mended, and a new snapshot taken");
                    Volatile.Write(ref _answeredAt, askedAt);
                }
                await Task.Delay(StandbyInterval, held.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (held.IsCancellationRequested)
        {
        }
        catch
        {
            await held.CancelAsync();
            throw;
        }
    }

    /// <exception cref="InvalidOperationException">Another reader may have taken over.</exception>
    private void RequireAnswered()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _answeredAt)) > LongestUnanswered)
            throw new InvalidOperationException($"The server has not answered for {LongestUnanswered.TotalSeconds:0} s, and another reader may publish the changes of {capture.Table}");
    }

    /// <summary>Its next user in the pool may be silent for longer.</summary>
    private static async Task ForgetSilenceAsync(NpgsqlConnection session)
    {
        try
        {
            await using var reset = new NpgsqlCommand("RESET idle_session_timeout", session) { CommandTimeout = PingSeconds };
            await reset.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // the connection is broken, and goes to nobody
        }
    }

    private static string WithLongestSilence(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        builder.Options = $"-c wal_sender_timeout={LongestSilenceSeconds}s {builder.Options}";
        return builder.ConnectionString;
    }

    /// <exception cref="InvalidOperationException">Changes would not tell which row they are of.</exception>
    private async Task EnsurePublicationAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var tellsKeys = TellsKeys(connection))
        {
            if (await tellsKeys.ExecuteScalarAsync(cancellationToken) is false)
            {
                // what is in the log by now is without keys, whatever the table's owner does about it
                await CaptureTable.SetSnapshotAsync(dataSource, _slot, null, cancellationToken);
                throw new InvalidOperationException($"The replica identity of the table {capture.Table} is without its key {capture.KeyColumn}, so that no change tells which row it is of: ALTER TABLE {capture.Table} REPLICA IDENTITY DEFAULT");
            }
        }
        await using (var isPublished = IsPublished(connection))
        {
            if (await isPublished.ExecuteScalarAsync(cancellationToken) is false)
            {
                // what has changed meanwhile is told by no log, and a slot that is older than its publication cannot be read with it
                await CaptureTable.SetSnapshotAsync(dataSource, _slot, null, cancellationToken);
                await using var create = new NpgsqlCommand($"DROP PUBLICATION IF EXISTS {capture.Publication}; CREATE PUBLICATION {capture.Publication} FOR TABLE public.{capture.Table}", connection);
                await create.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        _ensured = true;
    }

    /// <summary>Whether the publication has all changes of all of the table's rows, with all columns. Row filters and column lists are newer than PostgreSQL 14, which has no such columns.</summary>
    private NpgsqlCommand IsPublished(NpgsqlConnection connection) => new("""
        SELECT EXISTS (
          SELECT FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
            LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = to_regclass(format('%I.%I', t.schemaname, t.tablename))
          WHERE p.pubname = $1 AND t.schemaname = 'public' AND t.tablename = $2 AND p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate
            AND to_jsonb(r) ->> 'prqual' IS NULL AND to_jsonb(r) ->> 'prattrs' IS NULL)
        """, connection)
    {
        CommandTimeout = PingSeconds,
        Parameters = { SqlParameter.Of(capture.Publication), SqlParameter.Of(capture.Table) },
    };

    /// <summary>Whether what a change tells of the row as it was has its key: by the primary key, an index that somebody has chosen, or as one of all columns.</summary>
    private NpgsqlCommand TellsKeys(NpgsqlConnection connection) => new("""
        SELECT EXISTS (
          SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indimmediate AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END
          WHERE c.oid = format('public.%I', $1)::regclass AND a.attname = $2
            AND CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false ELSE EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) k WHERE i.indkey[k] = a.attnum) END)
        """, connection)
    {
        CommandTimeout = PingSeconds,
        Parameters = { SqlParameter.Of(capture.Table), SqlParameter.Of(capture.KeyColumn) },
    };

    [LoggerMessage(EventName = "SnapshotPublished", Level = LogLevel.Information, Message = "A snapshot of {Table} is published: {Rows} rows, and {Gone} that are gone; its changes follow")]
    private static partial void SnapshotPublished(ILogger logger, string table, int rows, int gone);

    [LoggerMessage(EventName = "ReplicationSlotLost", Level = LogLevel.Error, Message = "The replication slot {Slot} has lost changes of {Table}: a new snapshot is taken")]
    private static partial void SlotLost(ILogger logger, string slot, string table);
}
