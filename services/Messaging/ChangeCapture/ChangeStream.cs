using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;
using NpgsqlTypes;

namespace Shop.Messaging.ChangeCapture;

/// <summary>Reads a slot with pgoutput and publishes every change, transaction by transaction in the order of their commits.</summary>
internal sealed class ChangeStream(LogicalReplicationConnection connection, TableCapture capture, ChangePublisher publisher, TableRows rows)
{
    /// <summary>How often what is published is confirmed.</summary>
    private static readonly TimeSpan ConfirmInterval = TimeSpan.FromMilliseconds(500);

    private readonly CapturePosition _position = new();
    private IReadOnlyList<string> _columns = [];

    /// <summary>Publishes until the session ends, which is thrown.</summary>
    /// <returns>Only when changes do not tell the keys of rows: all are gone at once (TRUNCATE), or the table's replica identity is without its key.</returns>
    public async Task RunAsync(string slot, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var confirming = ConfirmAsync(ended);
        try
        {
            // spilled to the server's disk until it is committed, however large a transaction is: neither side keeps it in memory
            var options = new PgOutputReplicationOptions(capture.Publication, PgOutputProtocolVersion.V1);
            await PublishAsync(connection.StartReplication(new PgOutputReplicationSlot(slot), options, ended.Token), ended.Token);
        }
        catch (OperationCanceledException) when (confirming.IsFaulted)
        {
            // what ended the confirmations is thrown below
        }
        finally
        {
            await ended.CancelAsync();
            await confirming;
        }
    }

    private async Task PublishAsync(IAsyncEnumerable<PgOutputReplicationMessage> messages, CancellationToken cancellationToken)
    {
        CapturePosition.CapturedTransaction? transaction = null;
        var (at, final, index) = (default(DateTimeOffset), default(NpgsqlLogSequenceNumber), 0u);
        // a transaction whose rows have to be looked up
        uint? unseen = null;
        await foreach (var message in messages)
        {
            switch (message)
            {
                case BeginMessage begin:
                    unseen = begin.TransactionXid;
                    (transaction, at, final, index) = (_position.Begin(), new(begin.TransactionCommitTimestamp), begin.TransactionFinalLsn, 0);
                    break;
                // somebody may have added other tables to the publication
                case RelationMessage relation when IsCaptured(relation):
                    if (!relation.Columns.Any(column => column.ColumnName == capture.KeyColumn && column.Flags.HasFlag(RelationMessage.Column.ColumnFlags.PartOfKey)))
                        return;
                    _columns = [.. relation.Columns.Select(column => column.ColumnName)];
                    break;
                case InsertMessage insert when IsCaptured(insert.Relation):
                    await ChangedAsync(await ReadAsync(insert.NewRow, cancellationToken), null);
                    break;
                case FullUpdateMessage update when IsCaptured(update.Relation):
                    var before = await ReadAsync(update.OldRow, cancellationToken);
                    await ChangedAsync(await ReadAsync(update.NewRow, cancellationToken), before.Row.Text(capture.KeyColumn));
                    break;
                case IndexUpdateMessage update when IsCaptured(update.Relation):
                    var key = await ReadAsync(update.Key, cancellationToken);
                    await ChangedAsync(await ReadAsync(update.NewRow, cancellationToken), key.Row.Text(capture.KeyColumn));
                    break;
                case UpdateMessage update when IsCaptured(update.Relation):
                    await ChangedAsync(await ReadAsync(update.NewRow, cancellationToken), null);
                    break;
                case KeyDeleteMessage delete when IsCaptured(delete.Relation):
                    await GoneAsync((await ReadAsync(delete.Key, cancellationToken)).Row.Text(capture.KeyColumn));
                    break;
                case FullDeleteMessage delete when IsCaptured(delete.Relation):
                    await GoneAsync((await ReadAsync(delete.OldRow, cancellationToken)).Row.Text(capture.KeyColumn));
                    break;
                case TruncateMessage truncate when truncate.Relations.Any(IsCaptured):
                    return;
                case CommitMessage commit:
                    transaction!.Complete(commit.TransactionEndLsn);
                    break;
            }
        }

        async Task ChangedAsync((CapturedRow Row, bool IsWhole) changed, string? formerKey)
        {
            var key = changed.Row.Text(capture.KeyColumn);
            if (formerKey is not null && formerKey != key)
                await GoneAsync(formerKey);
            // a large value that did not change is not told: it is looked up, with the row as it is now, whose own change comes later
            var row = changed.IsWhole ? changed.Row : await FindAsync(key);
            // counted in any case: read again, when the row may be gone, the changes behind this one have the ids that they had
            var id = EventIds.Of(at, final, index++);
            if (row is not null)
                await publisher.PublishAsync(row, id, at, transaction!, cancellationToken);
        }

        async Task<CapturedRow?> FindAsync(string key)
        {
            if (unseen is { } just)
                await rows.AreSeenAsync(just, cancellationToken);
            unseen = null;
            return await rows.FindAsync(key, cancellationToken);
        }

        Task GoneAsync(string key) => publisher.PublishGoneAsync(key, EventIds.Of(at, final, index++), at, transaction!, cancellationToken);
    }

    private bool IsCaptured(RelationMessage relation) => relation.RelationName == capture.Table && relation.Namespace == "public";

    private async ValueTask<(CapturedRow Row, bool IsWhole)> ReadAsync(ReplicationTuple tuple, CancellationToken cancellationToken)
    {
        var values = new string?[tuple.NumColumns];
        var (isWhole, column) = (true, 0);
        await foreach (var value in tuple.WithCancellation(cancellationToken))
        {
            isWhole &= !value.IsUnchangedToastedValue;
            values[column++] = value.IsDBNull || value.IsUnchangedToastedValue ? null : await value.Get<string>(cancellationToken);
        }
        return (new(_columns, values), isWhole);
    }

    /// <summary>Confirms what is published, again and again; what the broker refuses ends the session.</summary>
    private async Task ConfirmAsync(CancellationTokenSource ended)
    {
        try
        {
            while (!ended.IsCancellationRequested)
            {
                await Task.Delay(ConfirmInterval, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (_position.Confirmable(connection.LastReceivedLsn) is var published && published > connection.LastFlushedLsn)
                    connection.SetReplicationStatus(published);
            }
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }
}
