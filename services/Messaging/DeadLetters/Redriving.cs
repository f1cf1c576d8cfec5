using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shop.Messaging.Consuming;
using Shop.Messaging.Operations;

namespace Shop.Messaging.DeadLetters;

/// <summary>What became of a redrive or discard.</summary>
internal enum RedriveOutcome
{
    /// <summary>There is no such dead letter.</summary>
    NotFound,

    /// <summary>It was redriven or discarded before, or by somebody else meanwhile.</summary>
    AlreadyEnded,

    /// <summary>It, and everything parked behind it, has had its effect; the key is free.</summary>
    Done,

    /// <summary>It, or a record behind it, failed: that record is a dead letter now and the key stays parked.</summary>
    FailedAgain,

    /// <summary>It stands for records that cannot be read: there is nothing to play.</summary>
    Unreadable,
}

/// <summary>
/// Plays a dead letter and the records parked behind it, in their order and each in a transaction of its own; a record that
/// fails parks the key again. While the key is parked no consumer touches it, so the order holds.
/// </summary>
internal sealed partial class Redriving(IServiceScopeFactory scopes, EndpointPipelines pipelines, TimeProvider time, ILogger<Redriving> logger)
{
    private const string Unplayed = "unplayed";

    /// <summary>Plays the dead letter, or with <paramref name="discard"/> leaves it out, and then what is parked behind it.</summary>
    public async Task<RedriveOutcome> RedriveAsync(Guid id, bool discard, CancellationToken cancellationToken)
    {
        RedriveOutcome? outcome;
        do
            outcome = await StepAsync(id, discard, cancellationToken);
        while (outcome is null);
        DeadLetterEnded(logger, id, discard ? "discard" : "redrive", outcome.Value);
        return outcome.Value;
    }

    /// <summary>One record, in one transaction. Null when there may be more.</summary>
    private async Task<RedriveOutcome?> StepAsync(Guid id, bool discard, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var store = new DeadLetterStore((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction());

        if (await store.LockAsync(id, cancellationToken) is not { } letter)
            return RedriveOutcome.NotFound;
        if (letter.Status is "redriven" or "discarded")
            return RedriveOutcome.AlreadyEnded;

        var itself = letter.Status == "parked";
        if (itself && !discard && letter.Record.Unreadable is not null)
            return RedriveOutcome.Unreadable;
        var parked = itself ? null : await store.FirstParkedAsync(letter.Endpoint, letter.Key, cancellationToken);
        if (!itself && parked is null)
        {
            await store.EndAsync(id, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return letter.Discarded == discard ? RedriveOutcome.Done : RedriveOutcome.AlreadyEnded;
        }
        var record = itself ? letter.Record : parked!.Record;
        await transaction.CreateSavepointAsync(Unplayed, cancellationToken);
        var pipeline = pipelines.Find(letter.Endpoint);
        using var activity = pipeline is null || (itself && discard) ? null : MessagingTelemetry.StartProcessBatch([record], pipeline.Endpoint)?.SetStatus(ActivityStatusCode.Error, "rolled back");
        try
        {
            if (!(itself && discard))
                await PlayAsync(pipeline ?? throw new InvalidOperationException($"The service has no endpoint {letter.Endpoint} any more"), record, scope, db, cancellationToken);
            if (itself)
                await store.BeginAsync(id, discard, cancellationToken);
            else
                await store.RemoveParkedAsync(parked!.Id, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
        }
        // a conflict with another writer is answered as a failure: the operator tries again, and nothing was lost
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !TransientErrors.IsTransient(e, int.MaxValue))
        {
            // still under the letter's lock: between the failure and its note nobody else can play the record
            await transaction.RollbackToSavepointAsync(Unplayed, cancellationToken);
            await ParkAgainAsync(store, id, letter.Endpoint, record, parked?.Id, e, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return RedriveOutcome.FailedAgain;
        }
        await transaction.CommitAsync(cancellationToken);
        activity?.SetStatus(ActivityStatusCode.Unset);
        return null;
    }

    private static async Task PlayAsync(EndpointPipeline pipeline, ConsumedRecord record, IServiceScope scope, MessagingDbContext db, CancellationToken cancellationToken)
    {
        if (pipeline.Handles(record))
            await pipeline.DispatchAsync([record], scope, db, cancellationToken);
        db.ChangeTracker.DetectChanges();
    }

    private async Task ParkAgainAsync(DeadLetterStore store, Guid id, string endpoint, ConsumedRecord record, long? parkedId, Exception failure,
        CancellationToken cancellationToken)
    {
        if (parkedId is not { } behind)
        {
            await store.SetFailureAsync(id, failure, time.GetUtcNow(), cancellationToken);
            return;
        }
        // the letter itself was played or left out; what failed is one behind it, which now holds the key
        await store.EndAsync(id, cancellationToken);
        await store.RemoveParkedAsync(behind, cancellationToken);
        await store.InsertAsync(DeadLetter.From(record, endpoint, failure, time.GetUtcNow()), cancellationToken);
    }

    [LoggerMessage(EventName = "DeadLetterEnded", Level = LogLevel.Information, Message = "Dead letter {Id}: {Command} ended with {Outcome}")]
    private static partial void DeadLetterEnded(ILogger logger, Guid id, string command, RedriveOutcome outcome);
}
